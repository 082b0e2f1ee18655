/** Text that is markup already; {@link html} escapes everything else. */
export type Html = Readonly<{ markup: string }>
type Piece = Html | readonly Html[] | string | number | null | false

/** A template whose values are escaped. Null and false leave nothing; a list of markup is joined. */
export function html(strings: TemplateStringsArray, ...values: Piece[]): Html {
  return {
    markup: strings.map((text, index) => text + (index < values.length ? markupOf(values[index] ?? null) : '')).join(''),
  }
}

/** A whole page. It has no inline script and no inline style: the policy of this server allows neither. */
export function page({ title, body, styles = [], scripts = [] }: PageParts): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <meta name="color-scheme" content="light dark" />
        <title>${title} · Errand</title>
        <link rel="icon" href="/static/icon.svg" type="image/svg+xml" />
        ${['/static/errand.css', ...styles].map((href) => html`<link rel="stylesheet" href="${href}" />`)}
      </head>
      <body>
        <main>${body}</main>
        ${scripts.map((src) => html`<script src="${src}" defer></script>`)}
      </body>
    </html>`.markup
}

type PageParts = { title: string; body: Html; styles?: readonly string[]; scripts?: readonly string[] }

function markupOf(piece: Piece): string {
  if (piece === null || piece === false) return ''
  if (typeof piece === 'string' || typeof piece === 'number') return escaped(String(piece))
  return 'markup' in piece ? piece.markup : piece.map(({ markup }) => markup).join('')
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => ESCAPES[sign] ?? sign)
}
