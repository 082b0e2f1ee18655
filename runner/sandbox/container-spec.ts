import { AGENT_UID, DOOR, HANDS_COMMAND, HANDS_UID, LABELS } from '../../contract/wire/names.ts'
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
const TMP_MB = 1024

function ownedBy(uid: number, mode: string): string {
  return `rw,nosuid,nodev,uid=${uid},gid=${uid},mode=${mode}`
}

/**
 * The whole wall around a sandbox, as the Docker API (1.41) takes it: no network, no capability, no new privileges, our own system call
 * filter, nothing writable that outlives it, and a bound on everything that can grow.
 */
export function containerSpec(spec: SandboxSpec, settings: ContainerSettings) {
  return {
    name: `errand-${spec.taskId.replace(/[^\w.-]/g, '_')}-${spec.attempt}-${settings.runnerId.slice(0, 8)}`,
    Image: settings.image,
    User: `${AGENT_UID}:${AGENT_UID}`,
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

/**
 * The hands as the engine's own `exec` starts them: within the same wall, with no capability either, as another user, and without the token.
 */
export function handsSpec() {
  return {
    Cmd: [...HANDS_COMMAND],
    User: `${HANDS_UID}:${HANDS_UID}`,
    // A new process gets the container's environment; an empty value takes the token out of it.
    Env: [`${DOOR.tokenVariable}=`, 'HOME=/home/hands', 'USER=hands'],
    WorkingDir: '/workspace',
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    Tty: false,
    Privileged: false,
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
      // The hands pass through it to the agent's socket, and can list nothing.
      '/home/agent': `${ownedBy(AGENT_UID, '0711')},noexec,size=64m`,
      '/workspace': `${ownedBy(HANDS_UID, '0700')},exec,size=${workspaceMb}m`,
      '/home/hands': `${ownedBy(HANDS_UID, '0700')},exec,size=512m`,
      // Outputs of commands, and the bundle: apart from the work and from the conversation, so that a flood fills neither.
      '/run/errand-outputs': `${ownedBy(HANDS_UID, '0700')},noexec,size=256m`,
      // Compilers and test runners execute what they put here.
      '/tmp': `rw,nosuid,nodev,exec,size=${TMP_MB}m,mode=1777`,
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
