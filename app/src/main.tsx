import './design/styles/variables.css'
import './design/styles/base.css'
import './design/controls/field.css'
import './design/styles/card.css'
import { QueryClientProvider } from '@tanstack/react-query'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './app.tsx'
import { createClient } from './client/client.ts'
import { ClientContext, meQuery } from './client/hooks.ts'
import { applyTheme } from './device/theme.ts'
import { watchInstallOffer, watchOpenedNotifications, watchVisibleArea, watchWaking } from './device/watch.ts'
import { tasksQuery } from './tasks/use-tasks.ts'

applyTheme()
watchVisibleArea()

const client = createClient()
// Requested before anything is drawn. Most starts show the list, so it gets a slow network to itself until it has arrived.
const isForList = location.pathname === '/' && location.search === ''
client.start(isForList ? client.queries.prefetchInfiniteQuery(tasksQuery(client, {})) : Promise.resolve())
void client.queries.prefetchQuery(meQuery(client))
watchWaking(client)
watchInstallOffer()
watchOpenedNotifications()

const root = document.getElementById('app')
if (!root) throw new Error('the page has no element #app')
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={client.queries}>
      <ClientContext value={client}>
        <App />
      </ClientContext>
    </QueryClientProvider>
  </StrictMode>,
)
