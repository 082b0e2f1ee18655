import { succeeded, type Tool } from './tool.ts'

export type TodoItem = { text: string; status: 'open' | 'doing' | 'done' }
type Input = { items: TodoItem[] }

const MARKS = { open: '[ ]', doing: '[>]', done: '[x]' } as const

/** @param onList gets the list each time, for the finish gates */
export function createTodo(onList: (items: readonly TodoItem[]) => void): Tool<Input> {
  return {
    name: 'todo',
    description: 'Keeps your list of steps, for work that has several. Each call replaces the whole list. The person sees it.',
    schema: {
      type: 'object',
      properties: {
        items: {
          type: 'array',
          items: {
            type: 'object',
            properties: { text: { type: 'string' }, status: { type: 'string', enum: ['open', 'doing', 'done'] } },
            required: ['text', 'status'],
            additionalProperties: false,
          },
        },
      },
      required: ['items'],
      additionalProperties: false,
    },
    title: ({ items }) => `${items.filter(({ status }) => status === 'done').length} of ${items.length} steps done`,
    run: async ({ items }) => {
      onList(items)
      return succeeded(items.map(({ text, status }) => `${MARKS[status]} ${text}`).join('\n') || '(the list is empty)')
    },
  }
}
