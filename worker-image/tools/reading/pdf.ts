import { execFile } from 'node:child_process'

/** Much more than the model reads at once, and little enough for the sandbox's memory. */
const MAX_TEXT_BYTES = 16 * 1024 * 1024
const MAX_MS = 30_000

/**
 * The text of a PDF, page by page. A program of its own reads it: a damaged file ends that program at most.
 * @throws Error in words for the model
 */
export async function pdfText(path: string, environment: Readonly<Record<string, string>>, signal: AbortSignal): Promise<string> {
  const text = await new Promise<string>((resolve, reject) => {
    const options = { env: environment, signal, timeout: MAX_MS, maxBuffer: MAX_TEXT_BYTES, killSignal: 'SIGKILL' as const }
    execFile('pdftotext', ['-layout', '-enc', 'UTF-8', path, '-'], options, (error, stdout, stderr) =>
      error ? reject(new Error(problemOf(path, error, stderr))) : resolve(stdout),
    )
  })
  const pages = text.replace(/\f$/, '').split('\f')
  const marked = pages.map((page, index) => `--- page ${index + 1} of ${pages.length} ---\n${page.trimEnd()}`)
  if (pages.every((page) => page.trim() === ''))
    throw new Error(
      `${path} is a PDF without text (${pages.length} pages), probably scanned pictures. Render a page with bash: pdftoppm -r 60 -png -f 1 -l 1, and read the picture.`,
    )
  return marked.join('\n')
}

function problemOf(path: string, error: Error & { code?: unknown; killed?: boolean }, stderr: string): string {
  if (error.code === 'ENOENT') return `${path} is a PDF, and this sandbox's image has no pdftotext to read it with.`
  if (error.code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER')
    return `${path} has more text than this tool takes. Use bash: pdftotext -f 1 -l 20 for its first pages.`
  if (error.killed)
    return `${path} is a PDF that could not be read within ${MAX_MS / 1000} s. Use bash: pdftotext -f 1 -l 5 for its first pages.`
  return `${path} is a PDF that cannot be read: ${stderr.trim().split('\n')[0] || 'pdftotext failed'}`
}
