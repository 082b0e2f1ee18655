import { visibleMarks } from '../visible-marks.ts'

/** As much of a tree of HTML as is looked at. */
type Node = { type: string; value?: string; properties?: Record<string, unknown>; children?: Node[] }

/** For the markdown of an agent: each block reads in its own direction, and marks that reorder text are shown by their names. */
export function readable() {
  return (tree: Node) => {
    for (const block of tree.children ?? []) if (block.properties) block.properties.dir = 'auto'
    nameMarks(tree)
  }
}

/** In the text as it is read: in its source a mark may also stand as `&#x202e;`. */
function nameMarks(node: Node): void {
  if (node.type === 'text' && node.value !== undefined) node.value = visibleMarks(node.value)
  for (const child of node.children ?? []) nameMarks(child)
}
