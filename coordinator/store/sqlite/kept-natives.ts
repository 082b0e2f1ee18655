/*
 * A database or statement of the driver must never be garbage-collected. Node from 24.19 on aborts when such a native object is collected
 * while no JavaScript runs: its node_object_wrap.h then asks for an environment that is not there
 * (github.com/WiseLibs/better-sqlite3/issues/1515). The driver's version 13 has mended that, and does not run on Node 20.
 */

/** Keeps a database for as long as the process lives, also after its close. */
export function keepDatabase<Database extends object>(sqlite: Database): Database {
  kept.add(sqlite)
  return sqlite
}

/**
 * Prepares each text once, and keeps the statement likewise. The texts are a bounded set: values are parameters.
 * @returns `prepare` of the driver
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

/** Also after a close: an orderly stop goes on for a while. */
const kept = new Set<object>()
