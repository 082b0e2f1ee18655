import { type ComponentType, lazy, Suspense } from 'react'
import { Route, Switch } from 'wouter'
import { loadPart } from './client/load-part.ts'
import { LinkButton } from './design/controls/button.tsx'
import { EmptyState, Skeleton } from './design/feedback/states.tsx'
import { Screen } from './design/screen/screen.tsx'
import { CrashBoundary } from './shell/crash-boundary.tsx'
import { Shell } from './shell/shell.tsx'
import { LoadingApp, SignInGate } from './shell/sign-in-gate.tsx'
import { TasksScreen } from './tasks/tasks-screen.tsx'
import { words } from './text/words.ts'

const SignInScreen = screen('SignInScreen', () => import('./sign-in/sign-in-screen.tsx'))
const NewTaskScreen = screen('NewTaskScreen', () => import('./new-task/new-task-screen.tsx'))
const TaskScreen = screen('TaskScreen', () => import('./task/task-screen.tsx'))
const ChangesScreen = screen('ChangesScreen', () => import('./task/changes/changes-screen.tsx'))
const LogScreen = screen('LogScreen', () => import('./task/log/log-screen.tsx'))
const ProjectsScreen = screen('ProjectsScreen', () => import('./projects/projects-screen.tsx'))
const SettingsScreen = screen('SettingsScreen', () => import('./settings/settings-screen.tsx'))
const AdminScreen = screen('AdminScreen', () => import('./admin/admin-screen.tsx'))

/** Every screen and its address. All but the task list load when they are first opened. */
export function App() {
  return (
    <CrashBoundary>
      <Switch>
        <Route path="/sign-in">
          <Suspense fallback={<LoadingApp />}>
            <SignInScreen />
          </Suspense>
        </Route>
        <Route>
          <SignInGate>
            <Shell>
              <Suspense fallback={<LoadingScreen />}>
                <Screens />
              </Suspense>
            </Shell>
          </SignInGate>
        </Route>
      </Switch>
    </CrashBoundary>
  )
}

/** Shown while a screen's files load. */
function LoadingScreen() {
  return (
    <div className="screen">
      <header className="app-bar">
        <h1 className="hidden-for-eyes">{words.common.loading}</h1>
      </header>
      <main id="content">
        <Skeleton rows={4} />
      </main>
    </div>
  )
}

function Screens() {
  return (
    <Switch>
      <Route path="/" component={TasksScreen} />
      <Route path="/new" component={NewTaskScreen} />
      <Route path="/task/:id">{({ id }) => <TaskScreen key={id} taskId={id} />}</Route>
      <Route path="/task/:id/changes">{({ id }) => <ChangesScreen key={id} taskId={id} />}</Route>
      <Route path="/task/:id/log/:callId">{({ id, callId }) => <LogScreen key={callId} taskId={id} callId={callId} />}</Route>
      <Route path="/projects" component={ProjectsScreen} />
      <Route path="/settings" component={SettingsScreen} />
      <Route path="/admin" component={AdminScreen} />
      <Route component={NotFoundScreen} />
    </Switch>
  )
}

function screen<Name extends string, Props>(name: Name, load: () => Promise<Record<Name, ComponentType<Props>>>) {
  return lazy(async () => ({ default: (await loadPart(name, load))[name] }))
}

function NotFoundScreen() {
  return (
    <Screen title={words.notFound.title} back="/">
      <EmptyState title={words.notFound.title} text={words.notFound.text}>
        <LinkButton look="main" href="/">
          {words.notFound.home}
        </LinkButton>
      </EmptyState>
    </Screen>
  )
}
