/** A character as a person reads about it: its code, its name if it is easily mistaken for another, and otherwise itself. */
export function characterName(character: string): string {
  if (character === '') return 'the end of the text'
  const code = character.codePointAt(0) ?? 0
  const hex = `U+${code.toString(16).toUpperCase().padStart(4, '0')}`
  const name = NAMES.get(code) ?? (code >= 0xff01 && code <= 0xff5e ? fullWidthName(code) : undefined)
  return name ? `${hex} ${name}` : `${hex} "${character}"`
}

/**
 * A text as it looks, in ASCII as far as possible. Two texts that look alike fold to the same: quotes, dashes, blanks, full-width forms,
 * accents, and letters of other alphabets.
 */
export function foldText(text: string): string {
  if (!/[\u0080-\uffff]/.test(text)) return text
  const { single, many } = foldings()
  const units = new Uint16Array(foldedLength(text))
  let count = 0
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    const folded = single[unit] ?? unit
    if (folded === MANY) for (const part of many.get(unit) ?? '') units[count++] = part.charCodeAt(0)
    else if (folded !== NOTHING || unit === NOTHING) units[count++] = folded
  }
  return Buffer.from(units.buffer).toString('utf16le')
}

/** @returns the place in the text that became the place `at` of the folded text */
export function unfoldedPlace(text: string, at: number): number {
  let count = 0
  for (let index = 0; index < text.length; index++) {
    count += lengthOf(text.charCodeAt(index))
    if (count > at) return index
  }
  return text.length
}

function foldedLength(text: string): number {
  let length = 0
  for (let index = 0; index < text.length; index++) length += lengthOf(text.charCodeAt(index))
  return length
}

function lengthOf(unit: number): number {
  if (unit < 0x80) return 1
  const { single, many } = foldings()
  const folded = single[unit]
  return folded === MANY ? (many.get(unit)?.length ?? 0) : folded === NOTHING ? 0 : 1
}

/** One unit folds to three at most; the rest of a longer folding is dropped. */
const LONGEST = 3
const NOTHING = 0
const MANY = 0xffff
/** Where characters are that fold to something else. */
const FOLDABLE = [
  [0xa0, 0x17f],
  [0x2b9, 0x4ff],
  [0x1e00, 0x1eff],
  [0x2000, 0x218f],
  [0x2212, 0x2236],
  [0x3000, 0x301f],
  [0xfb00, 0xfb06],
  [0xfe30, 0xfe6f],
  [0xfeff, 0xffef],
] as const

type Table = { single: Uint16Array; many: Map<number, string> }
let table: Table | null = null

function foldings(): Table {
  table ??= createTable()
  return table
}

function createTable(): Table {
  const single = Uint16Array.from({ length: 0x10000 }, (_, unit) => unit)
  const many = new Map<number, string>()
  for (const [first, last] of FOLDABLE)
    for (let unit = first; unit <= last; unit++) {
      const folded = foldCharacter(String.fromCharCode(unit)).slice(0, LONGEST)
      single[unit] = folded.length > 1 ? MANY : folded === '' ? NOTHING : folded.charCodeAt(0)
      if (folded.length > 1) many.set(unit, folded)
    }
  return { single, many }
}

function foldCharacter(character: string): string {
  const plain = character.normalize('NFKD').replace(/[\u0300-\u036f]/g, '')
  return plain.replace(/./gsu, (part) => LOOKS[part] ?? part)
}

/** Characters that look like ASCII, or like nothing, and that Unicode's own decomposition leaves alone. */
const LOOKS: Readonly<Record<string, string>> = {
  ...alike("'", '\u2018\u2019\u201a\u201b\u2032\u02bc\u02b9\u00b4'),
  ...alike('"', '\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb\u300c\u300d\u300e\u300f'),
  ...alike('-', '\u2010\u2011\u2012\u2013\u2014\u2015\u2212'),
  ...alike('.', '\u3002\u2024'),
  ...alike(',', '\u3001\u201a'),
  ...alike('/', '\u2044\u2215'),
  ...alike(':', '\u2236'),
  ...alike('*', '\u2217'),
  ...alike('[', '\u3010\u3014\u3008'),
  ...alike(']', '\u3011\u3015\u3009'),
  ...alike('<', '\u300a'),
  ...alike('>', '\u300b'),
  ...alike(' ', '\u3000'),
  ...alike('', '\u00ad\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\ufeff'),
  ...pairwise('АВЕЅІЈКМНОРСТХУаеѕіјорсухһ', 'ABESIJKMHOPCTXYaesijopcyxh'),
  ...pairwise('ΑΒΕΖΗΙΚΜΝΟΡΤΥΧοι', 'ABEZHIKMNOPTYXoi'),
}

const NAMES: ReadonlyMap<number, string> = new Map([
  ...named(0x20, ['SPACE', 'EXCLAMATION MARK', 'QUOTATION MARK', 'NUMBER SIGN', 'DOLLAR SIGN', 'PERCENT SIGN', 'AMPERSAND']),
  ...named(0x27, ['APOSTROPHE', 'LEFT PARENTHESIS', 'RIGHT PARENTHESIS', 'ASTERISK', 'PLUS SIGN', 'COMMA', 'HYPHEN-MINUS']),
  ...named(0x2e, ['FULL STOP', 'SOLIDUS']),
  ...named(0x3a, ['COLON', 'SEMICOLON', 'LESS-THAN SIGN', 'EQUALS SIGN', 'GREATER-THAN SIGN', 'QUESTION MARK', 'COMMERCIAL AT']),
  ...named(0x5b, ['LEFT SQUARE BRACKET', 'REVERSE SOLIDUS', 'RIGHT SQUARE BRACKET', 'CIRCUMFLEX ACCENT', 'LOW LINE']),
  ...named(0x60, ['GRAVE ACCENT']),
  ...named(0x7b, ['LEFT CURLY BRACKET', 'VERTICAL LINE', 'RIGHT CURLY BRACKET', 'TILDE']),
  ...named(0x09, ['CHARACTER TABULATION', 'LINE FEED']),
  ...named(0x0d, ['CARRIAGE RETURN']),
  ...named(0xa0, ['NO-BREAK SPACE']),
  ...named(0xab, ['LEFT-POINTING DOUBLE ANGLE QUOTATION MARK']),
  ...named(0xad, ['SOFT HYPHEN']),
  ...named(0xb4, ['ACUTE ACCENT']),
  ...named(0xb7, ['MIDDLE DOT']),
  ...named(0xbb, ['RIGHT-POINTING DOUBLE ANGLE QUOTATION MARK']),
  ...named(0x2000, ['EN QUAD', 'EM QUAD', 'EN SPACE', 'EM SPACE', 'THREE-PER-EM SPACE', 'FOUR-PER-EM SPACE', 'SIX-PER-EM SPACE']),
  ...named(0x2007, ['FIGURE SPACE', 'PUNCTUATION SPACE', 'THIN SPACE', 'HAIR SPACE', 'ZERO WIDTH SPACE']),
  ...named(0x200c, ['ZERO WIDTH NON-JOINER', 'ZERO WIDTH JOINER', 'LEFT-TO-RIGHT MARK', 'RIGHT-TO-LEFT MARK']),
  ...named(0x2010, ['HYPHEN', 'NON-BREAKING HYPHEN', 'FIGURE DASH', 'EN DASH', 'EM DASH', 'HORIZONTAL BAR']),
  ...named(0x2018, ['LEFT SINGLE QUOTATION MARK', 'RIGHT SINGLE QUOTATION MARK', 'SINGLE LOW-9 QUOTATION MARK']),
  ...named(0x201c, ['LEFT DOUBLE QUOTATION MARK', 'RIGHT DOUBLE QUOTATION MARK', 'DOUBLE LOW-9 QUOTATION MARK']),
  ...named(0x2026, ['HORIZONTAL ELLIPSIS']),
  ...named(0x202a, ['LEFT-TO-RIGHT EMBEDDING', 'RIGHT-TO-LEFT EMBEDDING', 'POP DIRECTIONAL FORMATTING']),
  ...named(0x202d, ['LEFT-TO-RIGHT OVERRIDE', 'RIGHT-TO-LEFT OVERRIDE', 'NARROW NO-BREAK SPACE']),
  ...named(0x2060, ['WORD JOINER']),
  ...named(0x2212, ['MINUS SIGN']),
  ...named(0x3000, ['IDEOGRAPHIC SPACE', 'IDEOGRAPHIC COMMA', 'IDEOGRAPHIC FULL STOP']),
  ...named(0x3008, ['LEFT ANGLE BRACKET', 'RIGHT ANGLE BRACKET', 'LEFT DOUBLE ANGLE BRACKET', 'RIGHT DOUBLE ANGLE BRACKET']),
  ...named(0x300c, ['LEFT CORNER BRACKET', 'RIGHT CORNER BRACKET', 'LEFT WHITE CORNER BRACKET', 'RIGHT WHITE CORNER BRACKET']),
  ...named(0x3010, ['LEFT BLACK LENTICULAR BRACKET', 'RIGHT BLACK LENTICULAR BRACKET']),
  ...named(0xfeff, ['ZERO WIDTH NO-BREAK SPACE']),
])

function named(first: number, names: readonly string[]): Array<[number, string]> {
  return names.map((name, index) => [first + index, name])
}

/** The full-width forms repeat ASCII, at a fixed distance. */
function fullWidthName(code: number): string {
  const plain = code - 0xfee0
  const letter = String.fromCharCode(plain)
  const name = NAMES.get(plain) ?? (/\d/.test(letter) ? `DIGIT ${DIGITS[Number(letter)]}` : letterName(letter))
  return `FULLWIDTH ${name}`
}

const DIGITS = ['ZERO', 'ONE', 'TWO', 'THREE', 'FOUR', 'FIVE', 'SIX', 'SEVEN', 'EIGHT', 'NINE'] as const

function letterName(letter: string): string {
  return `LATIN ${letter === letter.toUpperCase() ? 'CAPITAL' : 'SMALL'} LETTER ${letter.toUpperCase()}`
}

function alike(plain: string, characters: string): Record<string, string> {
  return Object.fromEntries([...characters].map((character) => [character, plain]))
}

function pairwise(characters: string, plain: string): Record<string, string> {
  return Object.fromEntries([...characters].map((character, index) => [character, plain[index] ?? character]))
}
