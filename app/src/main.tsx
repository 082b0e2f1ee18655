import './design/variables.css'
import './design/base.css'
import './design/field.css'
import './design/card.css'
import { QueryClientProvider } from '@tanstack/react-query'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './app.tsx'
import { createClient } from './client/client.ts'
import { ClientContext, meQuery } from './client/hooks.ts'
import { watchInstallOffer } from './device/install-prompt.ts'
import { watchOpenedNotifications } from './device/opened-notification.ts'
import { applyTheme } from './device/theme.ts'
import { watchWaking } from './device/waking.ts'
import { tasksQuery } from './tasks/use-tasks.ts'

applyTheme()

const client = createClient()
// Asked for before anything is drawn. Most starts are for the list: until that is here, it has a slow network for itself.
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
