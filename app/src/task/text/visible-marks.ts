/** Marks that reorder displayed text: they can make a file name or a line of code look like another. */
const REORDERING = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

/** @returns the text with each such mark replaced by its name: `‹U+202E›` */
export function visibleMarks(text: string): string {
  return text.replace(REORDERING, (mark) => `‹U+${mark.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}›`)
}
