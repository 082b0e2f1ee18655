/** A call of a tool, and its result, as the demo model's scripts see them. */
export type Call = { name: string; input: Record<string, unknown> }
export type Result = { text: string; isError: boolean }

/** What the demo model says and does next. Without calls it is the end of its work. */
export type Move = { thinking?: string; text: string; calls: Call[] }

/** A piece of work as it reads: each move is answered with the results of its calls; the returned text is the final word. */
export type Script<T = string> = Generator<Move, T, Result[]>
