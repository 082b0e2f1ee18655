import type { Assignment } from '../../contract/wire/sandbox.ts'
import type { ModelMessage } from '../model/model-client.ts'
import { COMMAND_TIMEOUTS } from '../tools/bash.ts'

const HEADING = 'This machine:'

/** What a package manager needs besides npm's registry, which always works. */
const REGISTRIES: Readonly<Record<string, readonly string[]>> = {
  'pip (Python)': ['pypi.org', 'files.pythonhosted.org'],
  'cargo (Rust)': ['index.crates.io', 'static.crates.io'],
  'go (Go modules)': ['proxy.golang.org'],
  'maven and gradle (Java)': ['repo.maven.apache.org'],
  'bundler (Ruby)': ['rubygems.org'],
}

/** Pure. What the sandbox has and may reach, from the runner's own settings, for the model. @returns null if the runner does not say */
export function machineText({ machine, timeLimitMs }: Pick<Assignment, 'machine' | 'timeLimitMs'>): string | null {
  if (!machine) return null
  const { cpus, memoryMb, workspaceMb, allowedHosts } = machine
  const reaches = (host: string) => allowedHosts.some((name) => (name.startsWith('.') ? host.endsWith(name) : host === name))
  const names = Object.keys(REGISTRIES)
  const working = names.filter((name) => REGISTRIES[name]?.every(reaches))
  const missing = names.filter((name) => !working.includes(name))
  const { defaultMs, maxMs } = COMMAND_TIMEOUTS
  return [
    HEADING,
    `- Processors: ${cpus}. Memory: ${size(memoryMb)} for all processes and files together. Disk for the repository and what is installed in it: ${size(workspaceMb)}.`,
    `- Package registries that work: ${['npm', ...working].join(', ')}.${missing.length > 0 ? ` Not reachable: ${missing.join(', ')}.` : ''}`,
    allowedHosts.length > 0
      ? `- Hosts that can be reached, over https alone: ${allowedHosts.map((name) => (name.startsWith('.') ? `all below ${name.slice(1)}` : name)).join(', ')}.`
      : '- No other host can be reached.',
    `- Time: this turn may take ${Math.round(timeLimitMs / 60_000)} minutes. A command is ended after ${defaultMs / 1000} s unless you give it another timeout_ms; the largest is ${maxMs}. Installing packages takes 30 to 120 s, and longer for a large project or a compiled package: give an install and a long build or test run a timeout_ms of ${Math.min(maxMs, 300_000)} or more.`,
  ].join('\n')
}

/** @returns the same text as the conversation last had it; null if it never had any */
export function lastMachineText(messages: readonly ModelMessage[]): string | null {
  const texts = messages.flatMap(({ role, content }) =>
    role === 'user' && typeof content !== 'string' ? content.flatMap((block) => (block.type === 'text' ? [block.text] : [])) : [],
  )
  return texts.findLast((text) => text.startsWith(HEADING)) ?? null
}

function size(mb: number): string {
  return mb < 1024 ? `${mb} MB` : `${Number((mb / 1024).toFixed(1))} GB`
}
