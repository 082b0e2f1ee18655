import { lazy, Suspense } from 'react'
import { Route, Switch } from 'wouter'
import { Skeleton } from './design/states.tsx'
import { CrashBoundary } from './shell/crash-boundary.tsx'
import { patiently } from './shell/patiently.ts'
import { Shell } from './shell/shell.tsx'
import { ComingIn, SignInGate } from './shell/sign-in-gate.tsx'
import { TasksScreen } from './tasks/tasks-screen.tsx'
import { words } from './words.ts'

const SignInScreen = lazy(async () => ({ default: (await patiently(() => import('./sign-in/sign-in-screen.tsx'))).SignInScreen }))
const NewTaskScreen = lazy(async () => ({
  default: (await patiently(() => import('./new-task/new-task-screen.tsx'))).NewTaskScreen,
}))
const TaskScreen = lazy(async () => ({ default: (await patiently(() => import('./task/task-screen.tsx'))).TaskScreen }))
const ChangesScreen = lazy(async () => ({ default: (await patiently(() => import('./task/changes-screen.tsx'))).ChangesScreen }))
const LogScreen = lazy(async () => ({ default: (await patiently(() => import('./task/log-screen.tsx'))).LogScreen }))
const ProjectsScreen = lazy(async () => ({
  default: (await patiently(() => import('./projects/projects-screen.tsx'))).ProjectsScreen,
}))
const SettingsScreen = lazy(async () => ({
  default: (await patiently(() => import('./settings/settings-screen.tsx'))).SettingsScreen,
}))
const AdminScreen = lazy(async () => ({ default: (await patiently(() => import('./admin/admin-screen.tsx'))).AdminScreen }))
const NotFoundScreen = lazy(async () => ({
  default: (await patiently(() => import('./shell/not-found-screen.tsx'))).NotFoundScreen,
}))

/** Every screen and its address. All but the list of tasks come when they are first opened. */
export function App() {
  return (
    <CrashBoundary>
      <Switch>
        <Route path="/sign-in">
          <Suspense fallback={<ComingIn />}>
            <SignInScreen />
          </Suspense>
        </Route>
        <Route>
          <SignInGate>
            <Shell>
              <Suspense fallback={<Coming />}>
                <Screens />
              </Suspense>
            </Shell>
          </SignInGate>
        </Route>
      </Switch>
    </CrashBoundary>
  )
}

/** A screen whose files are on their way. */
function Coming() {
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
