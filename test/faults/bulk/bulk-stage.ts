import { QuickBooksStage } from '../quickbooks/quickbooks-stage.js';
import { companySettings } from '../quickbooks/saboteur.js';
import type { Random } from '../random.js';
import type { Job, System } from '../system.js';
import { batchSettings, breakBatches } from './saboteur.js';
import { type StepName, steps } from './steps.js';

/** A conference whose orders are invoiced in QuickBooks many at a time. */
export class BulkStage extends QuickBooksStage {
  override readonly jobs: readonly Job[] = [
    'workOffBulkInvoicing',
    'resumeOperations',
    'processQboEvents',
    'sweepQboConnection',
  ];

  static override async raise(system: System, random: Random): Promise<BulkStage> {
    const { currency, settings } = companySettings(random.fork('company'));
    const stage = new BulkStage(system, random.fork('stage'), currency);
    await stage.openCompany({ ...settings, ...batchSettings(random.fork('batches')) });
    return stage;
  }

  override play(step: string): Promise<void> {
    return steps[step as StepName](this);
  }

  override async breakAnswers(): Promise<void> {
    if (this.random.chance(0.6)) return breakBatches(this);
    await super.breakAnswers();
  }

  override async isQuiet(): Promise<boolean> {
    const [row] = await this.system.sql(
      `select count(*) as open from bulk_invoicing bulk where finished_at is null and exists (
         select from bulk_invoicing_item item join purchase_order on purchase_order.id = item.purchase_order_id
         where item.bulk_invoicing_id = bulk.id and conference_id = $1)`,
      [this.conferenceId],
    );
    return Number(row?.open) === 0 && (await super.isQuiet());
  }

  override async leave(): Promise<void> {
    await this.system.sql('update bulk_invoicing set finished_at = now() where finished_at is null');
    await super.leave();
  }
}
