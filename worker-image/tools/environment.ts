import { DOOR_PATHS } from '../../contract/wire/names.ts'

/**
 * The environment of the model's commands.
 * @param place.inherited the image's own
 * @param place.doorUrl the way to packages and allowed hosts
 */
export function toolEnvironment({
  inherited,
  doorUrl,
}: {
  inherited: Readonly<Record<string, string>>
  doorUrl: string
}): Record<string, string> {
  return {
    ...inherited,
    TERM: 'dumb',
    NO_COLOR: '1',
    CI: '1',
    PAGER: 'cat',
    GIT_PAGER: 'cat',
    GIT_TERMINAL_PROMPT: '0',
    GIT_EDITOR: 'true',
    DEBIAN_FRONTEND: 'noninteractive',
    PIP_PROGRESS_BAR: 'off',
    PIP_DISABLE_PIP_VERSION_CHECK: '1',
    TQDM_DISABLE: '1',
    npm_config_registry: `${doorUrl}${DOOR_PATHS.npm}`,
    npm_config_audit: 'false',
    npm_config_fund: 'false',
    npm_config_update_notifier: 'false',
    HTTP_PROXY: doorUrl,
    HTTPS_PROXY: doorUrl,
    http_proxy: doorUrl,
    https_proxy: doorUrl,
    NO_PROXY: LOCAL,
    no_proxy: LOCAL,
    // For commits that the model makes itself.
    GIT_AUTHOR_NAME: 'Errand',
    GIT_AUTHOR_EMAIL: 'errand@localhost',
    GIT_COMMITTER_NAME: 'Errand',
    GIT_COMMITTER_EMAIL: 'errand@localhost',
  }
}

/** What a server of the work itself listens at. */
const LOCAL = 'localhost,127.0.0.1,::1,0.0.0.0'
