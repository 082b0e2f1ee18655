import type { End } from '../../contract/wire/end.ts'
import type { Git } from '../workspace/git.ts'
import type { InputOf, OperationName, OutputOf } from './protocol.ts'

/** The user inside the sandbox that runs commands and file tools, as the agent sees it. What it answers is the repository's word, not the agent's. */
export type Hands = {
  /**
   * Runs one operation.
   * @throws HandsGone when the hands were killed during it; the next call finds new ones
   * @throws Error when the operation failed, with its message
   */
  call: <Name extends OperationName>(name: Name, input: InputOf<Name>, options?: CallOptions) => Promise<OutputOf<Name>>
}

export type CallOptions = {
  /** Aborted with an End: the operation ends early by itself, and still answers. */
  signal?: AbortSignal
  /** What a command has printed since the last call of this function. */
  onOutput?: (text: string) => void
}

/** An implementation of an operation, in the process of the hands. */
export type Context = { signal: AbortSignal; onOutput: (text: string) => void }

/** The hands' process ended in the middle of an operation: a command killed it, or the kernel did for lack of memory. */
export class HandsGone extends Error {
  override name = 'HandsGone'
  constructor() {
    super('The processes of the sandbox were all killed, and this call with them. What it had already done has stayed.')
  }
}

/** The agent's git: it runs as the hands, in the work tree or (`outside`) away from every repository. */
export function gitOf(hands: Hands, place: 'workspace' | 'outside' = 'workspace'): Git {
  return async (args, { signal, ...bounds } = {}) => {
    try {
      return await hands.call('git', { place, args: [...args], ...bounds }, signal ? { signal } : {})
    } catch (error) {
      return { code: null, stdout: '', stderr: error instanceof Error ? error.message : String(error), cut: false }
    }
  }
}

/** @returns a bundle that the hands have made, at most about `mostBytes` of it */
export async function readPieces(hands: Hands, which: InputOf<'readBundle'>['which'], mostBytes: number): Promise<Buffer> {
  const pieces: Buffer[] = []
  for (let from = 0; from <= mostBytes; ) {
    const piece = Buffer.from(await hands.call('readBundle', { which, from }), 'base64')
    if (piece.length === 0) break
    pieces.push(piece)
    from += piece.length
  }
  return Buffer.concat(pieces)
}

/** What one side says to the other, one JSON line each. Ids are the agent's. */
export type AgentSays = { call: number; name: string; input: unknown } | { cancel: number; why: End | null }
export type HandsSay = { of: number; output: string } | { of: number; result: unknown } | { of: number; error: string }
