import { useState } from 'react'
import type { Project } from '../../../contract/api/api.ts'
import { useAsOf, useClient, useMe, useSaved } from '../client/hooks.ts'
import { Button, IconButton, LinkButton } from '../design/controls/button.tsx'
import { AskFirst } from '../design/dialogs/ask-first.tsx'
import { AsOf, EmptyState, ErrorState, Skeleton } from '../design/feedback/states.tsx'
import { Screen } from '../design/screen/screen.tsx'
import { repoName } from '../text/show.ts'
import { words } from '../text/words.ts'
import { AddProject } from './add-project.tsx'
import './projects.css'

/** Repositories that the user often sends tasks to. */
export function ProjectsScreen() {
  const { api } = useClient()
  const { data: me } = useMe()
  const [adding, setAdding] = useState(false)
  const list = useSaved('projects', () => api.listProjects())
  const asOf = useAsOf(list.data)
  const items = list.data?.items ?? []
  return (
    <Screen
      title={words.projects.title}
      actions={
        items.length > 0 && (
          <Button icon="plus" aria-label={words.projects.add} onClick={() => setAdding(true)}>
            {words.projects.addShort}
          </Button>
        )
      }
    >
      <AsOf time={asOf} />
      {list.isPending && <Skeleton rows={3} lines={[50, 80]} />}
      {list.isError && !list.data && <ErrorState error={list.error} onRetry={() => list.refetch()} />}
      {list.isSuccess && items.length === 0 && (
        <EmptyState title={words.projects.emptyTitle} text={words.projects.emptyText}>
          <Button look="main" icon="plus" onClick={() => setAdding(true)}>
            {words.projects.add}
          </Button>
        </EmptyState>
      )}
      {items.length > 0 && (
        <>
          <p className="soft projects-text">{words.projects.text}</p>
          <ul className="cards">
            {items.map((project) => (
              <ProjectCard key={project.id} project={project} />
            ))}
          </ul>
        </>
      )}
      {adding && <AddProject host={me?.gitHosts[0] ?? 'https://github.com'} onClose={() => setAdding(false)} />}
    </Screen>
  )
}

function ProjectCard({ project: { id, name, repoUrl } }: { project: Project }) {
  const { api, queries } = useClient()
  const remove = async () => {
    await api.deleteProject(id)
    await queries.invalidateQueries({ queryKey: ['projects'] })
  }
  return (
    <li className="card project">
      <div className="project-what">
        <h2 dir="auto">{name}</h2>
        {repoName(repoUrl) !== name && <p className="small soft">{repoName(repoUrl)}</p>}
      </div>
      <LinkButton icon="plus" href={`/new?${new URLSearchParams({ repository: repoUrl })}`}>
        {words.projects.newTask}
      </LinkButton>
      <AskFirst
        title={words.projects.removeTitle(name)}
        text={words.projects.removeText}
        action={words.common.remove}
        act={remove}
      >
        {(ask) => <IconButton icon="cross" label={`${words.common.remove}: ${name}`} onClick={ask} />}
      </AskFirst>
    </li>
  )
}
