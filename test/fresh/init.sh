#!/bin/bash
# init.sh ROOT: the first process of a fresh machine, in namespaces of its own. Makes ROOT its whole file system, says `ready PID` (as the
# host counts), and then only buries the dead.
set -euo pipefail
root=$1
# The host's /proc is still here: it tells the pid that the host knows.
read -r pid _ </proc/self/stat

mount --make-rprivate /
mount --bind "$root" "$root"
cd "$root"
mount -t proc proc proc
mount -t sysfs sysfs sys
mount --rbind /sys/fs/cgroup sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=755 tmpfs dev
for name in null zero full random urandom tty; do
  touch "dev/$name"
  mount --bind "/dev/$name" "dev/$name"
done
ln -s /proc/self/fd dev/fd
ln -s pts/ptmx dev/ptmx
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=666,mode=620 devpts dev/pts
mount -t tmpfs -o mode=1777 tmpfs dev/shm
mkdir .host
pivot_root . .host
cd /
umount --lazy /.host
rmdir /.host
hostname fresh

echo "ready $pid"
while :; do
  sleep 3600 &
  wait $!
done
