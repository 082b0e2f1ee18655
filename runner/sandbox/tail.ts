const TAIL_BYTES = 2_048

/** Keeps the last bytes of what is pushed, and forgets the rest. */
export function tailOf(maxBytes = TAIL_BYTES): { push: (chunk: Buffer) => void; text: () => string } {
  let kept = Buffer.alloc(0)
  return {
    push: (chunk) => {
      kept = Buffer.concat([kept, chunk]).subarray(-maxBytes)
    },
    text: () => kept.toString('utf8').trim(),
  }
}
