import './without-eval.ts'

/** The schemas that answers are parsed with. They weigh: only `api.ts` loads this file, after the first screen is on its way. */
export { ENDPOINTS } from '../../../contract/api/endpoints.ts'
