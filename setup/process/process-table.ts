import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** The system's information about running processes. For a process that is gone or not accessible, it is empty. */

const onLinux = process.platform === 'linux'

/** @returns the pids of all processes on this machine; none on a system without /proc */
export function allPids(): number[] {
  return onLinux
    ? readdirSync('/proc')
        .filter((name) => /^\d+$/.test(name))
        .map(Number)
    : []
}

/** @returns the arguments of a process, its program first */
export function argumentsOf(pid: number): string[] {
  return read(`/proc/${pid}/cmdline`)
    .split('\0')
    .filter((word) => word !== '')
}

/** @returns the environment of a process at its start, as `NAME=value` */
export function variablesOf(pid: number): string[] {
  return read(`/proc/${pid}/environ`).split('\0')
}

/** @returns the working folder of a process */
export function folderOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`)
  } catch {
    return ''
  }
}

/** @returns whether a process leads its process group, as the ones that we keep running do, unlike their children */
export function leadsGroup(pid: number): boolean {
  return statOf(pid)[GROUP] === String(pid)
}

/**
 * Identifies a process among all that ever have its pid: by the boot and the moment of its start.
 * @returns '' for no process and for a zombie
 */
export function identityOf(pid: number): string {
  if (!onLinux) return spawnSync('ps', ['-p', String(pid), '-o', 'lstart=,args='], { encoding: 'utf8' }).stdout ?? ''
  const stat = statOf(pid)
  return stat[STATE] === undefined || stat[STATE] === 'Z'
    ? ''
    : `${read('/proc/sys/kernel/random/boot_id').trim()} ${stat[STARTED]}`
}

/** Positions after the command's name, which may contain anything, even spaces and brackets. In proc(5), the name is field 2. */
const STATE = 0
const GROUP = 2
const STARTED = 19

function statOf(pid: number): string[] {
  const text = read(`/proc/${pid}/stat`)
  return text === '' ? [] : text.slice(text.lastIndexOf(')') + 2).split(' ')
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
