import './without-eval.ts'

/** The schemas that parse answers. They are heavy, so only `client.ts` loads this file, after the first screen has started to load. */
export { ENDPOINTS } from '../../../contract/api/endpoints.ts'
