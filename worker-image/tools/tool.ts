/** The part of JSON schema that tool inputs are described in; the model API takes all of it, also with `strict`. */
export type Schema =
  | { type: 'string'; description?: string; enum?: readonly string[] }
  | { type: 'number' | 'boolean'; description?: string }
  | { type: 'array'; description?: string; items: Schema }
  | ObjectSchema
export type ObjectSchema = {
  type: 'object'
  description?: string
  properties: Readonly<Record<string, Schema>>
  required: readonly string[]
  additionalProperties: false
}

export type ImageBlock = {
  type: 'image'
  source: { type: 'base64'; media_type: 'image/png' | 'image/jpeg' | 'image/gif' | 'image/webp'; data: string }
}

/** The result of a call. `ok: false` tells the model that the tool itself failed, which it did not when a command ran and exited with 1. */
export type ToolResult = {
  ok: boolean
  /** For the model. */
  text: string
  /** For people: what the call printed, if `text` has more than that. */
  output?: string
  /** For people: how it ended, if the exit code does not tell the whole story. */
  note?: string
  /** Ended because the turn was over. */
  cutOff?: boolean
  image?: ImageBlock
  exitCode?: number | null
  /** Bytes of the whole output, if the result has less. */
  outputBytes?: number
  /** The file with all of it. */
  wholeFile?: string
}

export type Tool<Input> = {
  name: string
  description: string
  schema: ObjectSchema
  /** One line for the person who watches. */
  title: (input: Input) => string
  run: (input: Input, signal: AbortSignal, onOutput?: OnOutput) => Promise<ToolResult>
}

/** Gets the newest output of a command that is still running: clean, at most 2 KB, at most twice a second. */
export type OnOutput = (text: string) => void

export function succeeded(text: string): ToolResult {
  return { ok: true, text }
}
export function refused(text: string): ToolResult {
  return { ok: false, text }
}
export function cutOff(text: string): ToolResult {
  return { ok: false, text, cutOff: true }
}

/** @returns what is wrong with an input, in words that help the model correct it; empty when the input is right */
export function problemsOf(schema: Schema, value: unknown, at = 'input'): string[] {
  if (schema.type === 'array')
    return Array.isArray(value)
      ? value.flatMap((item, index) => problemsOf(schema.items, item, `${at}[${index}]`))
      : [`${at} must be an array`]
  if (schema.type === 'object') return objectProblems(schema, value, at)
  if (typeof value !== schema.type) return [`${at} must be a ${schema.type}`]
  if (schema.type === 'string' && schema.enum && !schema.enum.includes(String(value)))
    return [`${at} must be one of ${schema.enum.join(', ')}`]
  return []
}

function objectProblems(schema: ObjectSchema, value: unknown, at: string): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [`${at} must be an object`]
  const given = Object.entries(value).filter(([, item]) => item !== undefined && item !== null)
  const missing = schema.required.filter((name) => !given.some(([key]) => key === name)).map((name) => `${at}.${name} is missing`)
  const wrong = given.flatMap(([name, item]) => {
    const property = schema.properties[name]
    return property ? problemsOf(property, item, `${at}.${name}`) : [`${at}.${name} is not a field of this tool`]
  })
  const fields = Object.keys(schema.properties).map((name) => (schema.required.includes(name) ? name : `${name}?`))
  return missing.length + wrong.length === 0 ? [] : [...missing, ...wrong, `fields of ${at}: ${fields.join(', ')}`]
}
