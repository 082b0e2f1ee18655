function words(text: string): string[] {
  return text.split(/\s+/).filter(Boolean)
}

/** System calls that no sandbox may make; `seccomp.ts` answers EPERM. */
export const DENIED: readonly string[] = [
  // Kernel keys: containers share them.
  ...words('add_key keyctl request_key'),
  // Mounts and roots.
  ...words('chroot fsconfig fsmount fsopen fspick mount mount_setattr move_mount open_tree pivot_root umount2'),
  // Namespaces.
  ...words('setns unshare'),
  // Other processes' memory and files.
  ...words('kcmp perf_event_open pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace'),
  // Large attack surface in the kernel, with a history.
  ...words('bpf io_uring_enter io_uring_register io_uring_setup memfd_secret userfaultfd'),
  // Files by handle, around their mount.
  ...words('fanotify_init fanotify_mark name_to_handle_at open_by_handle_at'),
  // The kernel itself, and modules of it.
  ...words(
    'create_module delete_module finit_module get_kernel_syms init_module kexec_file_load kexec_load lookup_dcookie query_module reboot syslog',
  ),
  // The host's clock, name, disks and accounts.
  ...words(
    'acct adjtimex clock_adjtime clock_settime quotactl quotactl_fd setdomainname sethostname settimeofday swapoff swapon',
  ),
  // Hardware and memory placement.
  ...words('get_mempolicy ioperm iopl mbind migrate_pages modify_ldt move_pages set_mempolicy set_mempolicy_home_node'),
  // Left from old kernels.
  ...words(
    '_sysctl afs_syscall epoll_ctl_old epoll_wait_old getpmsg nfsservctl putpmsg security sysfs tuxcall uselib ustat vhangup vserver',
  ),
]

/** All system calls of Linux 6.10 on x86-64 and arm64, from the kernel's headers (`asm/unistd_64.h`, `asm-generic/unistd.h`). */
export const KERNEL: readonly string[] = words(`
  _sysctl accept accept4 access acct add_key adjtimex afs_syscall alarm arch_prctl bind bpf brk cachestat capget capset
  chdir chmod chown chroot clock_adjtime clock_getres clock_gettime clock_nanosleep clock_settime clone clone3 close
  close_range connect copy_file_range creat create_module delete_module dup dup2 dup3 epoll_create epoll_create1 epoll_ctl
  epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2 execve execveat exit exit_group
  faccessat faccessat2 fadvise64 fallocate fanotify_init fanotify_mark fchdir fchmod fchmodat fchmodat2 fchown fchownat
  fcntl fdatasync fgetxattr finit_module flistxattr flock fork fremovexattr fsconfig fsetxattr fsmount fsopen fspick fstat
  fstatat fstatfs fsync ftruncate futex futex_requeue futex_wait futex_waitv futex_wake futimesat get_kernel_syms
  get_mempolicy get_robust_list get_thread_area getcpu getcwd getdents getdents64 getegid geteuid getgid getgroups getitimer
  getpeername getpgid getpgrp getpid getpmsg getppid getpriority getrandom getresgid getresuid getrlimit getrusage getsid
  getsockname getsockopt gettid gettimeofday getuid getxattr init_module inotify_add_watch inotify_init inotify_init1
  inotify_rm_watch io_cancel io_destroy io_getevents io_pgetevents io_setup io_submit io_uring_enter io_uring_register
  io_uring_setup ioctl ioperm iopl ioprio_get ioprio_set kcmp kexec_file_load kexec_load keyctl kill landlock_add_rule
  landlock_create_ruleset landlock_restrict_self lchown lgetxattr link linkat listen listxattr llistxattr lookup_dcookie
  lremovexattr lseek lsetxattr lstat madvise map_shadow_stack mbind membarrier memfd_create memfd_secret migrate_pages
  mincore mkdir mkdirat mknod mknodat mlock mlock2 mlockall mmap modify_ldt mount mount_setattr move_mount move_pages
  mprotect mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedsend mq_unlink mremap mseal msgctl msgget msgrcv msgsnd
  msync munlock munlockall munmap name_to_handle_at nanosleep newfstatat nfsservctl open open_by_handle_at open_tree openat
  openat2 pause perf_event_open personality pidfd_getfd pidfd_open pidfd_send_signal pipe pipe2 pivot_root pkey_alloc
  pkey_free pkey_mprotect poll ppoll prctl pread64 preadv preadv2 prlimit64 process_madvise process_mrelease
  process_vm_readv process_vm_writev pselect6 ptrace putpmsg pwrite64 pwritev pwritev2 query_module quotactl quotactl_fd
  read readahead readlink readlinkat readv reboot recvfrom recvmmsg recvmsg remap_file_pages removexattr rename renameat
  renameat2 request_key restart_syscall rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn
  rt_sigsuspend rt_sigtimedwait rt_tgsigqueueinfo sched_get_priority_max sched_get_priority_min sched_getaffinity
  sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval sched_setaffinity sched_setattr sched_setparam
  sched_setscheduler sched_yield seccomp security select semctl semget semop semtimedop sendfile sendmmsg sendmsg sendto
  set_mempolicy set_mempolicy_home_node set_robust_list set_thread_area set_tid_address setdomainname setfsgid setfsuid
  setgid setgroups sethostname setitimer setns setpgid setpriority setregid setresgid setresuid setreuid setrlimit setsid
  setsockopt settimeofday setuid setxattr shmat shmctl shmdt shmget shutdown sigaltstack signalfd signalfd4 socket
  socketpair splice stat statfs statx swapoff swapon symlink symlinkat sync sync_file_range sync_file_range2 syncfs sysfs
  sysinfo syslog tee tgkill time timer_create timer_delete timer_getoverrun timer_gettime timer_settime timerfd_create
  timerfd_gettime timerfd_settime times tkill truncate tuxcall umask umount2 uname unlink unlinkat unshare uselib
  userfaultfd ustat utime utimensat utimes vfork vhangup vmsplice vserver wait4 waitid write writev
`)
