import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** What the system knows of the processes that run here. One that is gone, or that we may not look at, is an empty text. */

const onLinux = process.platform === 'linux'

/** @returns the pids of all processes of this machine; none on a system without /proc */
export function allPids(): number[] {
  return onLinux
    ? readdirSync('/proc')
        .filter((name) => /^\d+$/.test(name))
        .map(Number)
    : []
}

/** @returns the words of a process's command line */
export function argumentsOf(pid: number): string[] {
  return read(`/proc/${pid}/cmdline`)
    .split('\0')
    .filter((word) => word !== '')
}

/** @returns the variables that a process was started with, as `NAME=value` */
export function variablesOf(pid: number): string[] {
  return read(`/proc/${pid}/environ`).split('\0')
}

/** @returns the folder that a process works in */
export function folderOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`)
  } catch {
    return ''
  }
}

/** @returns whether a process leads its group, as those that we keep running do and their own children do not */
export function leadsGroup(pid: number): boolean {
  return statOf(pid)[GROUP] === String(pid)
}

/**
 * Tells a process from every other one that has had or will have its pid: its boot and the moment of its start.
 * @returns '' for none and for a zombie
 */
export function identityOf(pid: number): string {
  if (!onLinux) return spawnSync('ps', ['-p', String(pid), '-o', 'lstart=,args='], { encoding: 'utf8' }).stdout ?? ''
  const stat = statOf(pid)
  return stat[STATE] === undefined || stat[STATE] === 'Z'
    ? ''
    : `${read('/proc/sys/kernel/random/boot_id').trim()} ${stat[STARTED]}`
}

/** Places after the command's name, which may hold anything, spaces and brackets included; proc(5) counts from 1, the name being 2. */
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
