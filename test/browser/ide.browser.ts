import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Page, Route } from 'playwright-core';
import { eventually } from '../support/eventually.js';
import type { Data } from '../support/graphql-client.js';
import { createOrder } from '../support/purchase-orders.js';
import { startTestApp, type TestApp } from '../support/test-app.js';
import { openOfflinePage, startBrowser, takeScreenshot } from './browser.js';

/** What a person on the first day does: opens the page and presses the button, tab after tab. */
describe('the IDE in a browser without internet', () => {
  let app: TestApp;
  let browser: Browser;
  let page: Page;
  let refused: string[];
  /** To what was sent, but for the schema, which the page asks for whenever it likes. */
  const answers: Data[] = [];

  beforeAll(async () => {
    [app, browser] = await Promise.all([startTestApp(), startBrowser()]);
    ({ page, refused } = await openOfflinePage(browser, app.app.url));
    await page.route(`${app.app.url}/graphql`, keepAnswer);
  });

  afterAll(async () => {
    await browser.close();
    await app.stop();
  });

  /** A browser may have dropped what it received by the time it is asked for it. */
  async function keepAnswer(route: Route): Promise<void> {
    const document = route.request().postData() ?? '__schema';
    if (document.includes('__schema')) return route.fallback();
    const response = await route.fetch();
    answers.push(await response.json());
    await route.fulfill({ response });
  }

  async function open(): Promise<void> {
    await page.goto(`${app.app.url}/graphql`);
    await page.getByText('Reloaded doc successfully').waitFor();
  }

  async function choose(tab: string): Promise<void> {
    await page.locator('.window-switcher__item', { hasText: tab }).click();
    await page.locator('.window-switcher__item--active', { hasText: tab }).waitFor();
  }

  /** Presses the button and gives what came back, which the page must show, too. */
  async function send(shown: string): Promise<Data> {
    const before = answers.length;
    await page.getByRole('button', { name: 'Send Request' }).click();
    await eventually(
      async () => answers.length,
      (count) => count > before,
    );
    await result().getByText(shown).first().waitFor();
    return answers[before];
  }

  function result() {
    return page.locator('app-query-result');
  }

  test('begins with a look around that works with the key it was given', async () => {
    await open();
    const { data } = await send('Demo Conference');
    expect(data.conferences.nodes[0].purchaseOrders.totalCount).toBe(1);
    await takeScreenshot(page, 'start');
  });

  test('takes an order from draft to paid', async () => {
    await choose('Create a purchase order');
    const created = await send('"DRAFT"');
    const { id } = created.data.createPurchaseOrder.purchaseOrder;
    // The other tabs are about the newest order from now on.
    await open();
    await choose('Invoice it');
    const invoiced = await send('"OPEN"');
    const { purchaseOrder } = invoiced.data.createQboInvoice;
    expect(purchaseOrder.id).toBe(id);
    await choose('E-mail the invoice');
    const sent = await send('"SENT"');
    expect(sent.data.sendQboInvoice.userErrors).toEqual([]);
    await app.quickbooks.pay(purchaseOrder.qboInvoice.id, '1475.00');
    await choose('What was paid?');
    const paid = await eventually(
      () => send('"status"'),
      ({ data }) => data.purchaseOrder.status === 'PAID',
    );
    expect(paid.data.purchaseOrder.totalPaid).toEqual({ amount: '1475.00' });
    await result().getByText('"PAID"').waitFor();
    await takeScreenshot(page, 'paid');
  });

  test('watches an order without asking again', async () => {
    const { id: purchaseOrderId } = await createOrder(app);
    await open();
    await choose('Watch it');
    await page.getByRole('button', { name: 'Send Request' }).click();
    await result().getByText('"DRAFT"').waitFor();
    await app.graphql.mutate('sendPurchaseOrder', { purchaseOrderId }, '');
    await result().getByText('"SENT"').waitFor();
    await takeScreenshot(page, 'watch');
  });

  test('says in words what is wrong with a document', async () => {
    await choose('Start here');
    const editor = page.locator('app-query-editor .cm-content');
    await editor.click();
    await page.keyboard.press('Control+A');
    await page.keyboard.type('{ conferenzes { nodes { id } ');
    const { errors } = await send('GRAPHQL_VALIDATION_FAILED');
    expect(errors[0].message).toContain('Cannot query field "conferenzes" on type "Query"');
    await takeScreenshot(page, 'error');
  });

  test('documents every field beside the editor', async () => {
    await page.getByText('Docs', { exact: true }).first().click();
    await page.locator('app-doc-viewer').getByText('Query', { exact: true }).first().click();
    await page.getByText('One conference, by its id or its slug; null when there is none.').waitFor();
    await takeScreenshot(page, 'docs');
  });

  test('asked nobody else for anything', () => {
    expect(refused).toEqual([]);
  });
});
