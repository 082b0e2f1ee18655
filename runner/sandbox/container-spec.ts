import { DOOR, LABELS, SANDBOX_UID } from '../../contract/wire/names.ts'
import type { SandboxSpec } from './sandbox.ts'
import { seccompProfile } from './seccomp.ts'

export type ContainerSettings = {
  image: string
  runnerId: string
  memoryMb: number
  workspaceMb: number
  cpus: number
  pids: number
  runtime: string | null
}

/** How much of a sandbox's output the engine stores, bytes; beyond it the engine starts its log over. */
export const LOG_BYTES = 64_000_000

const MB = 1024 * 1024
const OWNED = `uid=${SANDBOX_UID},gid=${SANDBOX_UID},mode=0700`

/**
 * The whole wall around a sandbox, as the Docker API (1.41) takes it: no network, no capability, no new privileges, our own system call
 * filter, nothing writable that outlives it, and a bound on everything that can grow.
 */
export function containerSpec(spec: SandboxSpec, settings: ContainerSettings) {
  return {
    name: `errand-${spec.taskId.replace(/[^\w.-]/g, '_')}-${spec.attempt}-${settings.runnerId.slice(0, 8)}`,
    Image: settings.image,
    User: `${SANDBOX_UID}:${SANDBOX_UID}`,
    Env: [`${DOOR.tokenVariable}=${spec.token}`, 'HOME=/home/agent', 'LANG=C.UTF-8'],
    Labels: {
      [LABELS.task]: spec.taskId,
      [LABELS.attempt]: String(spec.attempt),
      [LABELS.runner]: settings.runnerId,
    },
    Tty: false,
    OpenStdin: false,
    AttachStdout: true,
    AttachStderr: true,
    NetworkDisabled: false,
    StopTimeout: 5,
    HostConfig: {
      ...privileges(),
      ...files(spec, settings),
      ...limits(settings),
      RestartPolicy: { Name: 'no' },
      AutoRemove: false,
      ...(settings.runtime ? { Runtime: settings.runtime } : {}),
    },
  }
}

function privileges() {
  return {
    NetworkMode: 'none',
    PublishAllPorts: false,
    Privileged: false,
    CapDrop: ['ALL'],
    CapAdd: [],
    // The API takes the profile's text; only the docker command takes a path.
    SecurityOpt: ['no-new-privileges:true', `seccomp=${JSON.stringify(seccompProfile)}`],
    Devices: [],
    Init: true,
    IpcMode: 'private',
    CgroupnsMode: 'private' as const,
    PidMode: '',
    UTSMode: '',
    UsernsMode: '',
  }
}

function files({ doorDirectory }: SandboxSpec, { workspaceMb }: ContainerSettings) {
  return {
    ReadonlyRootfs: true,
    // The directory, not the socket: a gateway may make its socket again. Nothing else of the host is inside.
    Binds: [`${doorDirectory}:${DOOR.directory}:ro`],
    // A tmpfs is noexec unless told otherwise, and its content counts against Memory.
    Tmpfs: {
      '/workspace': `rw,exec,nosuid,nodev,size=${workspaceMb}m,${OWNED}`,
      '/home/agent': `rw,exec,nosuid,nodev,size=512m,${OWNED}`,
      '/tmp': 'rw,nosuid,nodev,noexec,size=256m,mode=1777',
    },
    ShmSize: 64 * MB,
  }
}

function limits({ memoryMb, cpus, pids }: ContainerSettings) {
  return {
    Memory: memoryMb * MB,
    MemorySwap: memoryMb * MB,
    OomScoreAdj: 500,
    OomKillDisable: false,
    NanoCpus: Math.round(cpus * 1e9),
    CpuShares: 256,
    PidsLimit: pids,
    Ulimits: [
      { Name: 'nofile', Soft: 4096, Hard: 4096 },
      { Name: 'core', Soft: 0, Hard: 0 },
    ],
    // Docker 20.10 refuses a single file of this driver unless compression is off.
    LogConfig: { Type: 'local', Config: { 'max-size': String(LOG_BYTES), 'max-file': '1', compress: 'false' } },
  }
}
