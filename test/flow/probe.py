"""The agent's own bash tool runs this inside a real sandbox: it tries what a hostile repository would, and prints what it found as JSON.

Arguments: the planted canary and the real ones, the addresses to connect to, and the host that is allowed.
The system calls are named by their numbers on x86-64.
"""
import ctypes, errno, json, os, socket, subprocess, sys, time
from urllib.parse import urlsplit

libc = ctypes.CDLL(None, use_errno=True)
canaries = [word[::-1] for word in sys.argv[1].split(',')]  # given backwards, so that this command line is no finding
planted = canaries[0]
targets = sys.argv[2].split(',')
allowed_host = sys.argv[3]


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


def through_proxy(host):
    """Asks the proxy for a tunnel to port 443, and sends a word into it."""
    proxy = urlsplit(os.environ['HTTPS_PROXY'])
    with socket.create_connection((proxy.hostname, proxy.port), 10) as client:
        client.sendall(f'CONNECT {host}:443 HTTP/1.1\r\nhost: {host}:443\r\n\r\n'.encode())
        answer = client.recv(4096).decode()
        if ' 200 ' not in answer.split('\r\n')[0]:
            return answer.split('\r\n')[0]
        client.sendall(b'is anybody there?')
        return client.recv(4096).decode()


def plant():
    """Puts the planted canary wherever the scan looks: files, an environment, a command line. Returns where, and how to take it away."""
    files = [f'{folder}/planted' for folder in ('/workspace', '/home/hands', '/tmp', '/dev/shm')]
    for path in files:
        with open(path, 'w') as file:
            file.write(f'token = "{planted}"')
    speaker = subprocess.Popen(['sleep', '60'], env={**os.environ, 'TOKEN': planted})
    shouter = subprocess.Popen(['sh', '-c', 'sleep 60', planted])
    places = [*files, f'/proc/{speaker.pid}/environ', f'/proc/{shouter.pid}/cmdline']
    for path in places:  # a process that was just started still has its parent's
        while planted.encode() not in open(path, 'rb').read():
            time.sleep(0.01)

    def remove():
        for path in files:
            os.remove(path)
        for process in (speaker, shouter):
            process.kill()
            process.wait()
    return places, remove


def scan():
    """Looks for every canary in every file, environment and command line that can be read."""
    seen, found = 0, {canary: [] for canary in canaries}
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
                for canary in canaries:
                    if canary.encode() in content:
                        found[canary].append(path)
    return seen, found


def findings():
    places, remove = plant()
    try:
        seen, found = scan()
    finally:
        remove()
    missed = [place for place in places if place not in found[planted]]
    others = [path for canary in canaries[1:] for path in found[canary]]
    return {'files': seen, 'planted': len(places), 'missed': missed, 'found': others}


def foreign_processes():
    return [int(name) for name in os.listdir('/proc') if name.isdigit() and os.stat(f'/proc/{name}').st_uid != os.getuid()]


def against_agent():
    """Tries to read, to signal and to speak for every process of another user. Returns what each try came to, without repeats."""
    tries = {
        'environment': lambda id: open(f'/proc/{id}/environ', 'rb').read(),
        'memory': lambda id: open(f'/proc/{id}/mem', 'rb'),
        'output': lambda id: open(f'/proc/{id}/fd/1', 'w'),
        'files': lambda id: os.listdir(f'/proc/{id}/fd'),
        'signal': lambda id: os.kill(id, 9),
        'pause': lambda id: os.kill(id, 19),
        'everybody': lambda id: os.kill(1, 15),
    }
    processes = foreign_processes()
    return len(processes), {name: sorted({error_of(lambda: work(id)) for id in processes}) for name, work in tries.items()}


def ask(target, request):
    """Sends one request to a port or a socket file. Returns the first line of the answer, empty when there is none."""
    with socket.socket(socket.AF_INET if isinstance(target, tuple) else socket.AF_UNIX) as client:
        client.settimeout(5)
        client.connect(target)
        try:
            client.sendall(request)
            return client.recv(4096).decode().split('\r\n')[0]
        except (ConnectionResetError, BrokenPipeError):
            return ''


def listening_ports():
    rows = [line.split() for line in open('/proc/net/tcp').read().splitlines()[1:]]
    return sorted({int(row[1].split(':')[1], 16) for row in rows if row[3] == '0A'})


def put(path):
    return f'PUT {path} HTTP/1.1\r\nhost: door\r\nconnection: close\r\ncontent-length: 6\r\n\r\nforged'.encode()


def get(path):
    return f'GET {path} HTTP/1.1\r\nhost: door\r\nconnection: close\r\n\r\n'.encode()


def as_agent():
    """Tries to act in the agent's name at every door that can be found."""
    requests = {path: (put if path.startswith('/artifacts') else get)(path) for path in ('/artifacts/patch', '/artifacts/transcript', '/messages', '/task', '/llm/v1/models')}
    answers = {f'{"hands" if port == 8080 else "agent"} {path}': ask(('127.0.0.1', port), request) for port in listening_ports() for path, request in requests.items()}
    forged = b'{"of":1,"result":{"code":0,"stdout":"","stderr":"","cut":false}}\n'
    return {
        **answers,
        "the agent's socket": error_of(lambda: ask('/run/errand/door.sock', get('/task'))),
        "a second pair of hands": ask('/home/agent/hands.sock', forged),
        "the agent's folder": error_of(lambda: os.listdir('/home/agent')),
        "the agent's conversation": error_of(lambda: open('/home/agent/transcript.json')),
    }


others, tries = against_agent()
status = dict(line.split(':\t') for line in open('/proc/self/status').read().splitlines() if ':\t' in line)
print(json.dumps({
    'user': f'{os.getuid()}:{os.getgid()}',
    'interfaces': [line.split(':')[0].strip() for line in open('/proc/net/dev').read().splitlines()[2:]],
    'routes': len(open('/proc/net/route').read().splitlines()) - 1,
    'connections': {host: error_of(lambda: connect(host)) for host in targets},
    'allowed host': through_proxy(allowed_host),
    'other host': through_proxy('198.51.100.7'),
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
    'others': others,
    'against them': tries,
    'as the agent': as_agent(),
    'secrets': findings(),
}))
