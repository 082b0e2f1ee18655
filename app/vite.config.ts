import { createRequire } from 'node:module'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'
import { compression } from 'vite-plugin-compression2'
import { VitePWA } from 'vite-plugin-pwa'

/** What the coordinator answers itself; everything else below its origin is the app. */
const COORDINATOR_PATHS = ['/api', '/auth', '/socket.io', '/admin/queues', '/docs', '/openapi.json', '/demo', '/static']
const COORDINATOR = 'http://127.0.0.1:3000'

const proxy = Object.fromEntries(COORDINATOR_PATHS.map((path) => [path, { target: COORDINATOR, ws: path === '/socket.io' }]))

const { version } = createRequire(import.meta.url)('../package.json') as { version: string }

/** Builds to `dist`, which the coordinator serves. No inline code comes out of it: the page's policy forbids it. */
export default defineConfig({
  root: import.meta.dirname,
  build: { target: 'es2022', cssTarget: ['chrome123', 'firefox120', 'safari17.5'], assetsInlineLimit: 0 },
  server: { proxy },
  define: { APP_VERSION: JSON.stringify(version) },
  plugins: [
    react(),
    // Brotli at its best takes too long while a browser waits, so the coordinator serves what is compressed here.
    compression({ algorithms: ['brotliCompress'], include: /assets\/.*\.(js|css)$/ }),
    VitePWA({
      strategies: 'injectManifest',
      srcDir: 'src',
      filename: 'sw.ts',
      registerType: 'prompt',
      injectRegister: false,
      includeManifestIcons: false,
      // Heavy parts wait until they are needed; from then on the service worker keeps them.
      injectManifest: {
        globPatterns: ['**/*.{js,css,html,svg}'],
        globIgnores: ['assets/markdown-*', 'assets/highlight-*', 'assets/answers-*'],
      },
      manifest: {
        id: '/',
        name: 'Errand',
        short_name: 'Errand',
        description: 'Send a coding agent on an errand, and get a branch back.',
        start_url: '/',
        scope: '/',
        display: 'standalone',
        theme_color: '#faf8f3',
        background_color: '#faf8f3',
        icons: [
          { src: '/icons/192.png', sizes: '192x192', type: 'image/png' },
          { src: '/icons/512.png', sizes: '512x512', type: 'image/png' },
          { src: '/icons/maskable-512.png', sizes: '512x512', type: 'image/png', purpose: 'maskable' },
          { src: '/icons/mark.svg', sizes: 'any', type: 'image/svg+xml' },
        ],
        shortcuts: [{ name: 'New task', url: '/new' }],
      },
    }),
  ],
})
