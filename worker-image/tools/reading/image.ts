import { extname } from 'node:path'
import { wellFormed } from '../../../contract/shared/characters.ts'
import { type ImageBlock, refused, succeeded, type ToolResult } from '../tool.ts'

type MediaType = ImageBlock['source']['media_type']

/** What the first bytes of an image say about it; its ending says nothing. */
export type ImageFacts = { type: MediaType; width: number; height: number }

/** The bounds of the model API on one image, base64 characters and pixels a side (docs.claude.com, "Vision"). */
const MOST_BASE64 = 5 * 1024 * 1024
const MOST_PIXELS = 8_000
/** The same for a request with many images. */
export const MANY_IMAGES = { more: 20, pixels: 2_000 } as const

const ENDINGS = ['.png', '.jpg', '.jpeg', '.gif', '.webp']

/** How to make an image smaller in the sandbox. */
export const SHRINK =
  "Make a smaller copy outside the repository and read that, for example: pip install pillow, then python3 -c \"from PIL import Image; i = Image.open('a.png'); i.thumbnail((1500, 1500)); i.save('/tmp/small.png')\"."

/**
 * Reads a file as an image for the model if its bytes are one.
 * @returns null for a file that neither is an image nor has the ending of one
 */
export function readImage(path: string, bytes: Buffer): ToolResult | null {
  const facts = imageFacts(bytes)
  if (facts === null && !ENDINGS.includes(extname(path).toLowerCase())) return null
  const problem = imageProblem(bytes)
  if (facts === null || problem !== null) return refused(`${path} ${problem}`)
  return {
    ...succeeded(`${path}: an image (${facts.type}, ${facts.width} × ${facts.height})`),
    image: { type: 'image', source: { type: 'base64', media_type: facts.type, data: bytes.toString('base64') } },
  }
}

/** Pure. @returns why the model API would refuse these bytes as an image, to follow the name of the file; null if it takes them */
export function imageProblem(bytes: Buffer): string | null {
  const facts = imageFacts(bytes)
  if (facts === null) return `is not an image that can be shown: ${looksLike(bytes)}.`
  const { width, height } = facts
  if (width === 0 || height === 0 || !isWhole(facts.type, bytes)) return 'is a damaged image: it ends early.'
  if (Math.max(width, height) > MOST_PIXELS)
    return `has ${width} × ${height} pixels, and the model can see at most ${MOST_PIXELS} a side. ${SHRINK}`
  const base64 = Math.ceil(bytes.length / 3) * 4
  return base64 > MOST_BASE64
    ? `has ${bytes.length} bytes, and the model can see images of at most ${Math.floor((MOST_BASE64 / 4) * 3)}. ${SHRINK}`
    : null
}

/** Pure. @returns null for anything but the beginning of a png, jpeg, gif or webp */
export function imageFacts(bytes: Buffer): ImageFacts | null {
  if (bytes.subarray(0, 8).equals(PNG)) return pngFacts(bytes)
  if (bytes.length > 2 && bytes.readUInt16BE(0) === 0xffd8 && bytes[2] === 0xff) return jpegFacts(bytes)
  if (/^GIF8[79]a/.test(latin(bytes, 0, 6)) && bytes.length >= 10)
    return { type: 'image/gif', width: bytes.readUInt16LE(6), height: bytes.readUInt16LE(8) }
  return latin(bytes, 0, 4) === 'RIFF' && latin(bytes, 8, 12) === 'WEBP' ? webpFacts(bytes) : null
}

const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])

function pngFacts(bytes: Buffer): ImageFacts {
  const hasHeader = bytes.length >= 24 && latin(bytes, 12, 16) === 'IHDR'
  return { type: 'image/png', width: hasHeader ? bytes.readUInt32BE(16) : 0, height: hasHeader ? bytes.readUInt32BE(20) : 0 }
}

/** The size stands in the frame's header, behind any number of other segments (ITU T.81, B.2). */
function jpegFacts(bytes: Buffer): ImageFacts {
  let at = 2
  while (at + 9 < bytes.length && bytes[at] === 0xff) {
    const marker = bytes[at + 1] ?? 0
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)
    if (isFrame) return { type: 'image/jpeg', height: bytes.readUInt16BE(at + 5), width: bytes.readUInt16BE(at + 7) }
    // Fill bytes, and markers that stand alone.
    const isAlone = marker === 0xff || marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)
    at += marker === 0xff ? 1 : isAlone ? 2 : 2 + bytes.readUInt16BE(at + 2)
  }
  return { type: 'image/jpeg', width: 0, height: 0 }
}

/** Three kinds of first chunk (RFC 9649). */
function webpFacts(bytes: Buffer): ImageFacts {
  const sized = (width: number, height: number): ImageFacts => ({ type: 'image/webp', width, height })
  if (bytes.length < 30) return sized(0, 0)
  switch (latin(bytes, 12, 16)) {
    case 'VP8X':
      return sized(1 + bytes.readUIntLE(24, 3), 1 + bytes.readUIntLE(27, 3))
    case 'VP8L': {
      const bits = bytes.readUInt32LE(21)
      return sized(1 + (bits & 0x3fff), 1 + ((bits >>> 14) & 0x3fff))
    }
    case 'VP8 ':
      return sized(bytes.readUInt16LE(26) & 0x3fff, bytes.readUInt16LE(28) & 0x3fff)
    default:
      return sized(0, 0)
  }
}

/** Whether the end of the image is there, as far as its kind marks it. */
function isWhole(type: MediaType, bytes: Buffer): boolean {
  if (type === 'image/png') return bytes.includes('IEND', 24, 'latin1')
  if (type === 'image/webp') return bytes.length >= bytes.readUInt32LE(4) + 8
  return type === 'image/jpeg' ? bytes.includes(Buffer.from([0xff, 0xd9]), 2) : bytes.length > 13
}

const OTHERS: ReadonlyArray<readonly [RegExp, string]> = [
  [/^version https:\/\/git-lfs/, 'it is a Git LFS pointer, and the image itself is not in this sandbox'],
  [/^\s*(<!doctype html|<html|<head|<body)/i, 'it begins like HTML'],
  [/^\s*(<\?xml|<svg)/i, 'it begins like SVG or XML, which is text: read it with bash'],
  [/^BM/, 'it begins like BMP; convert it to png'],
  [/^(II\*\0|MM\0\*)/, 'it begins like TIFF; convert it to png'],
  [/^....ftyp(avif|heic|heix|mif1)/s, 'it begins like AVIF or HEIC; convert it to png'],
  [/^%PDF-/, 'it begins like a PDF'],
]

function looksLike(bytes: Buffer): string {
  if (bytes.length === 0) return 'it is empty'
  const start = latin(bytes, 0, 200)
  const known = OTHERS.find(([pattern]) => pattern.test(start))
  if (known) return known[1]
  const text = bytes.subarray(0, 40).toString('utf8')
  return /^[\t\n\r -~\u00a0-\uffff]*$/.test(text) && !text.includes('\ufffd')
    ? `it begins like text: ${JSON.stringify(wellFormed(text))}`
    : 'its first bytes are those of no png, jpeg, gif or webp'
}

function latin(bytes: Buffer, from: number, to: number): string {
  return bytes.subarray(from, to).toString('latin1')
}
