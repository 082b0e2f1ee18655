/*
 * A database or statement of the driver must never be garbage-collected. Node from 24.19 on aborts when such a native object is collected
 * while no JavaScript runs: its node_object_wrap.h then asks for an environment that does not exist
 * (github.com/WiseLibs/better-sqlite3/issues/1515). Version 13 of the driver fixes that but does not run on Node 20.
 */

/** Keeps a database as long as the process lives, even after it was closed. */
export function keepDatabase<Database extends object>(sqlite: Database): Database {
  kept.add(sqlite)
  return sqlite
}

/**
 * Prepares each text once and keeps its statement, too. The set of texts is bounded, because values are parameters.
 * @returns a replacement for `prepare` of the driver
 */
export function keepStatements<Statement>(sqlite: { prepare: (text: string) => Statement }): (text: string) => Statement {
  const statements = new Map<string, Statement>()
  kept.add(statements)
  return (text) => {
    const known = statements.get(text)
    if (known) return known
    const statement = sqlite.prepare(text)
    statements.set(text, statement)
    return statement
  }
}

/** Even after a close: an orderly stop takes a while. */
const kept = new Set<object>()
