import { randomUUID } from 'node:crypto'
import type { Project } from '../../contract/api/api.ts'
import type { Store } from './sqlite/database.ts'
import type { Database } from './sqlite/schema.ts'

/**
 * A repository that a user keeps at hand. Creating it again returns the same project, renamed if a name is given.
 * @param repoUrl as {@link parseRepoUrl} made it
 */
export async function createProject(
  db: Store,
  userId: string,
  { repoUrl, name }: { repoUrl: string; name?: string | undefined },
): Promise<Project> {
  const row = await db
    .insertInto('projects')
    .values({ id: randomUUID(), user_id: userId, repo_url: repoUrl, name: name ?? nameOf(repoUrl), created_at: Date.now() })
    .onConflict((conflict) =>
      conflict.columns(['user_id', 'repo_url']).doUpdateSet((update) => ({ name: name ?? update.ref('projects.name') })),
    )
    .returningAll()
    .executeTakeFirstOrThrow()
  return projectOf(row)
}

export async function listProjects(db: Store, userId: string): Promise<Project[]> {
  const rows = await db.selectFrom('projects').selectAll().where('user_id', '=', userId).orderBy('name').execute()
  return rows.map(projectOf)
}

/** @returns false when this user has no such project */
export async function deleteProject(db: Store, userId: string, id: string): Promise<boolean> {
  const { numDeletedRows } = await db.deleteFrom('projects').where('id', '=', id).where('user_id', '=', userId).executeTakeFirst()
  return numDeletedRows > 0n
}

/** `owner/name` from `https://host/owner/name.git`. */
function nameOf(repoUrl: string): string {
  return new URL(repoUrl).pathname.slice(1).replace(/\.git$/, '')
}

function projectOf(row: Database['projects']): Project {
  return {
    id: row.id,
    repoUrl: row.repo_url,
    name: row.name,
    createdAt: new Date(Number(row.created_at)).toISOString(),
  }
}
