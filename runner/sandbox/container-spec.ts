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

/** What the engine keeps of a sandbox's output, bytes; beyond it the engine begins its log anew. */
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
      NetworkMode: 'none',
      Privileged: false,
      CapDrop: ['ALL'],
      CapAdd: [],
      // The API takes the profile's text; a path is the docker command's own convenience.
      SecurityOpt: ['no-new-privileges:true', `seccomp=${JSON.stringify(seccompProfile)}`],
      Devices: [],
      PublishAllPorts: false,
      ReadonlyRootfs: true,
      // Directory, not socket: a gateway may make its socket anew. It is the only thing of the host inside.
      Binds: [`${spec.doorDirectory}:${DOOR.directory}:ro`],
      // tmpfs is noexec unless told otherwise, and what is in it counts against Memory.
      Tmpfs: {
        '/workspace': `rw,exec,nosuid,nodev,size=${settings.workspaceMb}m,${OWNED}`,
        '/home/agent': `rw,exec,nosuid,nodev,size=512m,${OWNED}`,
        '/tmp': 'rw,nosuid,nodev,noexec,size=256m,mode=1777',
      },
      Memory: settings.memoryMb * MB,
      MemorySwap: settings.memoryMb * MB,
      NanoCpus: Math.round(settings.cpus * 1e9),
      CpuShares: 256,
      PidsLimit: settings.pids,
      Ulimits: [
        { Name: 'nofile', Soft: 4096, Hard: 4096 },
        { Name: 'core', Soft: 0, Hard: 0 },
      ],
      OomScoreAdj: 500,
      OomKillDisable: false,
      Init: true,
      IpcMode: 'private',
      ShmSize: 64 * MB,
      CgroupnsMode: 'private' as const,
      PidMode: '',
      UTSMode: '',
      UsernsMode: '',
      // Docker 20.10 refuses one file of this driver unless compression is off.
      LogConfig: { Type: 'local', Config: { 'max-size': String(LOG_BYTES), 'max-file': '1', compress: 'false' } },
      RestartPolicy: { Name: 'no' },
      AutoRemove: false,
      ...(settings.runtime ? { Runtime: settings.runtime } : {}),
    },
  }
}
