/** Paths that the server answers itself: no screens of the app. */
export const SERVER_PATHS: readonly RegExp[] = [
  /^\/api\//,
  /^\/auth\//,
  /^\/socket\.io\//,
  /^\/admin\/./,
  /^\/docs/,
  /^\/openapi\.json/,
  /^\/metrics/,
  /^\/demo\//,
  /^\/static\//,
]
