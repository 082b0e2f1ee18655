import { encode } from 'uqr'
import { words } from '../../text/words.ts'

/** Light modules around the code: readers need four. */
const BORDER = 4

/** A QR code, dark on light in every theme, since many readers know no other. A file of its own because it loads on demand. */
export default function QrCode({ text }: { text: string }) {
  const { data, size } = encode(text, { border: BORDER })
  const path = data.map((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : '')).join('')).join('')
  return (
    <svg
      className="qr-code"
      role="img"
      aria-label={words.settings.qrCode}
      viewBox={`0 0 ${size} ${size}`}
      shapeRendering="crispEdges"
    >
      <path d={path} />
    </svg>
  )
}
