/** A call of a tool, and its result, as the demo model's scripts see them. */
export type Call = { name: string; input: Record<string, unknown> }
export type Result = { text: string; isError: boolean }

/** The next answer of the demo model. A move without calls ends its work. */
export type Move = { thinking?: string; text: string; calls: Call[] }

/** A piece of work. It yields moves, gets the results of their calls, and returns its report. */
export type Script<T = string> = Generator<Move, T, Result[]>
