import { describe, expect, it } from '@jest/globals'
import { patchLines } from '../../../../app/src/task/changes/patch-lines.ts'
import { compare, editDiff } from '../../../../app/src/task/text/edit-diff.ts'
import { previewOf } from '../../../../app/src/task/text/output-preview.ts'

function shown(rows: ReturnType<typeof compare>): string[] {
  return rows.map((row) => (row.kind === 'gap' ? `… ${row.count}` : `${{ same: ' ', add: '+', del: '-' }[row.kind]}${row.text}`))
}

describe('an edit as a small diff', () => {
  it('shows the lines that change with two around them', () => {
    const before = ['1', '2', '3', '4', 'old', '6', '7', '8', '9'].join('\n')
    const diff = editDiff('edit', { file_path: 'a', old_string: before, new_string: before.replace('old', 'new') })
    expect(shown(diff?.rows ?? [])).toEqual(['… 2', ' 3', ' 4', '-old', '+new', ' 6', ' 7', '… 2'])
    expect(diff).toMatchObject({ added: 1, removed: 1 })
  })

  it('shows a written file as added, and nothing for other calls or strange input', () => {
    expect(shown(editDiff('write', { content: 'a\nb\n' })?.rows ?? [])).toEqual(['+a', '+b'])
    expect(editDiff('bash', { command: 'x' })).toBeNull()
    expect(editDiff('edit', 'x')).toBeNull()
  })

  it('finds what stayed between two changes', () => {
    expect(shown(compare(['a', 'b', 'c', 'd'], ['x', 'b', 'c', 'y']))).toEqual(['-a', '+x', ' b', ' c', '-d', '+y'])
    expect(shown(compare([], ['a']))).toEqual(['+a'])
    expect(shown(compare(['a', 'a'], ['a']))).toEqual([' a', '-a'])
  })

  it('does not compare thousands of lines with thousands', () => {
    const many = (prefix: string) => Array.from({ length: 3000 }, (_, i) => prefix + i)
    const began = performance.now()
    expect(compare(many('a'), many('b'))).toHaveLength(6000)
    expect(performance.now() - began).toBeLessThan(500)
  })
})

describe("a file's patch", () => {
  it('has rows with their numbers, and takes no line of a hunk for a header', () => {
    const patch = [
      'diff --git a/x b/x',
      '--- a/x',
      '+++ b/x',
      '@@ -3,3 +3,3 @@ function f',
      ' same',
      '--- old',
      '+++ new',
      ' end',
      '\\ No newline at end of file',
    ].join('\n')
    expect(patchLines(patch)).toEqual([
      { kind: 'hunk', text: 'function f', before: 3, after: 3 },
      { kind: 'same', text: 'same', before: 3, after: 3 },
      { kind: 'del', text: '-- old', before: 4 },
      { kind: 'add', text: '++ new', after: 4 },
      { kind: 'same', text: 'end', before: 5, after: 5 },
      { kind: 'note', text: 'No newline at end of file' },
    ])
  })

  it('is empty for a patch without hunks', () => {
    expect(patchLines('diff --git a/x b/y\nrename from x\nrename to y\n')).toEqual([])
  })
})

describe('the preview of an output', () => {
  const output = (text: string) => ({ output: `exit_code: 1\nwall_time: 0.1 s\n${text}`, outputBytes: text.length })

  it('is its last twenty lines without what the shell says in front', () => {
    const lines = Array.from({ length: 50 }, (_, i) => `line ${i}`)
    expect(previewOf(output(lines.join('\n')))).toEqual({
      text: lines.slice(30).join('\n'),
      linesAbove: 30,
      bytes: 389 + 0,
      cut: true,
    })
  })

  it('is at most 4,000 characters, and nothing where nothing was said', () => {
    expect(previewOf(output('x'.repeat(9000))).text).toHaveLength(4000)
    expect(previewOf(output('(no output)'))).toMatchObject({ text: '', cut: false })
    expect(previewOf(output('short'))).toEqual({ text: 'short', linesAbove: 0, bytes: 5, cut: false })
  })

  it('is what the command printed, to the letter, and the note on how it ended, when its event is of this version', () => {
    const printed = 'exit_code: 1\nwall_time: 0.1 s\nfrom the command'
    const ended = { output: printed, outputBytes: printed.length, cutOff: false }
    expect(previewOf(ended).text).toBe(printed)
    expect(previewOf({ ...ended, note: 'Timed out after 120 s.' }).text).toBe(`${printed}\nTimed out after 120 s.`)
    expect(previewOf({ output: '', outputBytes: 0, cutOff: false, note: 'Timed out after 120 s.' }).text).toBe(
      'Timed out after 120 s.',
    )
  })
})
