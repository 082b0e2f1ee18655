/*
 * A database or statement of the driver must never be garbage-collected. Node from 24.19 on aborts when such a native object is collected
 * while no JavaScript runs: its node_object_wrap.h then asks for an environment that does not exist
 * (github.com/WiseLibs/better-sqlite3/issues/1515). Version 13 of the driver fixes that but does not run on Node 20.
 */

/**
 * Keeps a database and all statements that it prepares as long as the process lives, even after it was closed. Each text is prepared once.
 * The set of texts is bounded, because values are parameters.
 */
export function keepNatives<Database extends { prepare: (text: string) => object }>(sqlite: Database): Database {
  const statements = new Map<string, object>()
  const prepare = sqlite.prepare.bind(sqlite)
  sqlite.prepare = (text) => {
    const known = statements.get(text)
    if (known) return known
    const statement = prepare(text)
    statements.set(text, statement)
    return statement
  }
  kept.add(sqlite).add(statements)
  return sqlite
}

/** Even after a close: an orderly stop takes a while. */
const kept = new Set<object>()
