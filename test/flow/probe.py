"""Run by the agent's own bash tool inside a real sandbox: tries what a hostile repository would, and prints what it found as JSON.

The system calls are named by their numbers on x86-64.
"""
import ctypes, errno, json, os, socket, sys

libc = ctypes.CDLL(None, use_errno=True)
canaries = [word[::-1].encode() for word in sys.argv[1].split(',')]  # given backwards, so that this command line is no finding
targets = sys.argv[2].split(',')


def error_of(work):
    try:
        work()
        return 'done'
    except OSError as error:
        return errno.errorcode.get(error.errno, type(error).__name__)


def system_call(number, *arguments):
    ctypes.set_errno(0)
    result = libc.syscall(number, *arguments)
    return 'done' if result >= 0 else errno.errorcode[ctypes.get_errno()]


def connect(host):
    with socket.socket() as client:
        client.settimeout(2)
        client.connect((host, 80))


def findings():
    seen, found = 0, []
    for top in ('/proc', '/workspace', '/home', '/tmp', '/run', '/etc', '/opt', '/var', '/root', '/mnt', '/srv', '/dev/shm'):
        for folder, folders, files in os.walk(top):
            if top == '/proc':
                folders[:] = [name for name in folders if name.isdigit() or name == 'self'] if folder == '/proc' else []
                files = [name for name in files if name in ('environ', 'cmdline', 'mountinfo', 'comm')]
            for name in files:
                path = os.path.join(folder, name)
                try:
                    if top != '/proc' and (not os.path.isfile(path) or os.path.getsize(path) > 5_000_000):
                        continue
                    with open(path, 'rb') as file:
                        content = file.read(5_000_000)
                except OSError:
                    continue
                seen += 1
                if any(canary in content for canary in canaries):
                    found.append(path)
    return {'files': seen, 'found': found}


status = dict(line.split(':\t') for line in open('/proc/self/status').read().splitlines() if ':\t' in line)
print(json.dumps({
    'user': f'{os.getuid()}:{os.getgid()}',
    'interfaces': [line.split(':')[0].strip() for line in open('/proc/net/dev').read().splitlines()[2:]],
    'routes': len(open('/proc/net/route').read().splitlines()) - 1,
    'connections': {host: error_of(lambda: connect(host)) for host in targets},
    'name': error_of(lambda: socket.getaddrinfo('example.com', 80)),
    'capabilities': [status[name].strip() for name in ('CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb')],
    'noNewPrivileges': status['NoNewPrivs'].strip(),
    'seccomp': status['Seccomp'].strip(),
    'calls': {
        'unshare user': system_call(272, 0x10000000),
        'mount': system_call(165, b'none', b'/tmp', b'tmpfs', 0, 0),
        'ptrace': system_call(101, 16, 1, 0, 0),
        'io_uring_setup': system_call(425, 8, 0),
        'bpf': system_call(321, 0, 0, 0),
        'keyctl': system_call(250, 0, 0, 0),
        'perf_event_open': system_call(298, 0, 0, -1, -1, 0),
        'vsock': error_of(lambda: socket.socket(40, socket.SOCK_STREAM)),
        'kernel crypto': error_of(lambda: socket.socket(38, socket.SOCK_SEQPACKET)),
        'packet socket': error_of(lambda: socket.socket(17, socket.SOCK_RAW)),
    },
    'root is written': error_of(lambda: open('/probe', 'w')),
    'door is written': error_of(lambda: open('/run/errand/probe', 'w')),
    'token in environment': 'ERRAND_TASK_TOKEN' in os.environ,
    'docker socket': os.path.exists('/var/run/docker.sock'),
    'secrets': findings(),
}))
