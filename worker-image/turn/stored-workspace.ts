import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { WorkspaceState } from '../hands/protocol.ts'
import type { Workspace } from '../workspace/workspace.ts'

function fileIn(home: string): string {
  return join(home, 'workspace.json')
}

/**
 * Keeps what the checkout made in the agent's own folder, for a rescue after a crash. The repository's `.git` would be the wrong place: a command
 * can change or remove it.
 */
export async function storeWorkspace(home: string, workspace: Workspace): Promise<void> {
  await mkdir(home, { recursive: true })
  await writeFile(fileIn(home), JSON.stringify(workspace))
}

/** @returns the workspace of an agent that died, or null when it had not opened one */
export async function storedWorkspace(home: string): Promise<Workspace | null> {
  try {
    return WorkspaceState.parse(JSON.parse(await readFile(fileIn(home), 'utf8')))
  } catch {
    return null
  }
}
