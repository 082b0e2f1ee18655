import { cleaned } from '../output.ts'

/** The most characters of one output of a cell; its end is where an error says what failed. */
const OUTPUT_CHARS = 4000

type Json = Record<string, unknown>

/** A Jupyter notebook as text: its cells in order, each with its number and kind, and what a cell printed. @returns null if it is none */
export function notebookText(json: string): string | null {
  const notebook = parsed(json)
  const cells = notebook?.cells
  if (!Array.isArray(cells)) return null
  const parts = cells.map((cell: Json, index) => {
    const kind = typeof cell?.cell_type === 'string' ? cell.cell_type : 'unknown'
    const outputs = Array.isArray(cell?.outputs) ? cell.outputs.map(outputText).filter(Boolean) : []
    const heading = `# --- cell ${index + 1} of ${cells.length} (${kind}) ---`
    return [heading, joined(cell?.source), ...outputs.map((text) => `# --- output ---\n${text}`)].join('\n')
  })
  return parts.join('\n\n')
}

function outputText(output: Json): string {
  if (output?.output_type === 'error')
    return shortened(cleaned(joined(output.traceback, '\n')) || `${output.ename}: ${output.evalue}`)
  if (output?.output_type === 'stream') return shortened(cleaned(joined(output.text)))
  const data = (output?.data ?? {}) as Json
  const text = joined(data['text/plain'])
  const others = Object.keys(data).filter((type) => type !== 'text/plain')
  return [shortened(text), ...(others.length > 0 ? [`(not shown: ${others.join(', ')})`] : [])].filter(Boolean).join('\n')
}

/** The format allows a text, or a list of its lines. */
function joined(text: unknown, between = ''): string {
  return Array.isArray(text) ? text.map(String).join(between) : typeof text === 'string' ? text : ''
}

function shortened(text: string): string {
  if (text.length <= OUTPUT_CHARS) return text
  return `[… ${text.length - OUTPUT_CHARS} characters cut …]\n${text.slice(-OUTPUT_CHARS)}`
}

function parsed(json: string): Json | null {
  try {
    return JSON.parse(json) as Json
  } catch {
    return null
  }
}
