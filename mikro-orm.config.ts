import { loadConfig } from './src/config.js';
import { ormOptions } from './src/infrastructure/database/orm.js';

/** Configuration of the MikroORM command line (`npm run db:…`). */
export default ormOptions(loadConfig().databaseUrl ?? 'postgres://localhost/conference_invoicing');
