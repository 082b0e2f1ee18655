import type { Socket } from 'node:net'
import { parseJson } from '../../contract/shared/json.ts'
import { LINE_BYTES } from './protocol.ts'

/** Reads one JSON value a line. A line that is no JSON, or longer than {@link LINE_BYTES}, cuts the connection: whatever comes after it cannot be trusted either. */
export function readJsonLines(socket: Socket, onValue: (value: unknown) => void): void {
  let pieces: Buffer[] = []
  let bytes = 0
  socket.on('data', (chunk: Buffer) => {
    let rest = chunk
    for (let border = rest.indexOf(10); border >= 0; border = rest.indexOf(10)) {
      const value = parseJson(Buffer.concat([...pieces, rest.subarray(0, border)]).toString('utf8'))
      if (value === undefined) return void socket.destroy()
      pieces = []
      bytes = 0
      rest = rest.subarray(border + 1)
      onValue(value)
    }
    pieces.push(rest)
    bytes += rest.length
    if (bytes > LINE_BYTES) socket.destroy()
  })
}

/** Sends one value; nothing when the other side has left. */
export function writeJsonLine(socket: Socket, value: unknown): void {
  if (socket.writable) socket.write(`${JSON.stringify(value)}\n`)
}
