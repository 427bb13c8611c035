import { Engine, App, signature } from '../e2e/engine';
import { Program } from '../e2e/tunnelProgram';
import { test } from './camera';

/** Goes to a place of the page that is open, as its links do. */
const place = (hash: string) => `location.hash = ${JSON.stringify(hash)}`;

test('everything that the demo shows', async ({ page, ui, camera, demo }) => {
  const newest = await demo.newest('');
  // The times shown are relative to this one, whenever the pictures are taken.
  await page.clock.setFixedTime(new Date(Date.parse(newest.received_at) + 4_000));
  await page.goto(demo.link);
  await ui.live();
  const open = async (query: string, tab?: string, test?: Parameters<typeof demo.newest>[1]) => {
    const row = await demo.newest(query, test);
    await page.evaluate(place(`#/deliveries/${row.id}`));
    await ui.detail.getByRole('heading', { level: 2 }).filter({ hasText: row.event }).waitFor();
    if (tab) await ui.tab(tab);
  };
  const failing = 'q=order.cancelled&status=failed';
  const repeated = (row: object) => (row as { attempt_count: number }).attempt_count > 1;

  /** Loads the page anew: the same address with another fragment would load nothing. */
  const load = async () => {
    await page.goto('about:blank');
    await page.goto(demo.link);
    await ui.live();
  };

  await camera.take('deliveries', () => ui.rows.first().waitFor());
  await camera.take('overview-failed', () => open(failing));
  await camera.take('body', () => ui.tab('Body'));
  await camera.take('headers', () => ui.tab('Headers'));
  await camera.take('signature-valid', () => ui.tab('Signature'));
  await camera.take('attempts', () => ui.tab('Attempts'));
  await camera.take('response', () => ui.tab('Response'));
  await camera.take('arrivals', () => open('event=order.paid', 'Arrivals', repeated));
  await camera.take('overview-repeated', () => ui.tab('Overview'));
  await camera.take('overview-rejected', () => open('signature_status=invalid', 'Overview'));
  await camera.take('signature-invalid', () => ui.tab('Signature'));
  await camera.take('overview-refused', () =>
    open(
      'status=failed',
      'Overview',
      (row) => (row as unknown as { relay_outcome: string }).relay_outcome === 'connect_failed',
    ),
  );
  await camera.take('body-form', () => open('event=call.completed', 'Body'));
  await camera.take('body-binary', () => open('event=label.printed', 'Body'));
  await camera.take('body-large', () => open('event=catalogue.exported', 'Body'));
  await camera.take('body-hostile', () => open('event=comment.created', 'Body'));

  await page.evaluate(place('#/deliveries'));
  await camera.take('filter-failed', () =>
    page
      .getByRole('group', { name: 'Quick filters' })
      .getByRole('button', { name: /Failed/ })
      .click(),
  );
  await camera.take('filter-nothing', () =>
    page.getByRole('combobox', { name: 'Filter deliveries' }).fill('nothing like it'),
  );
  await load();
  await camera.take('selection', async () => {
    await ui.rows.first().click();
    for (const key of ['x', 'j', 'x', 'j', 'x']) await page.keyboard.press(key);
    await page.getByRole('toolbar', { name: 'Selected deliveries' }).waitFor();
  });
  await camera.take('replay-confirmation', async () => {
    await open('signature_status=missing', 'Overview');
    await ui.detail
      .getByRole('button', { name: /^Replay/ })
      .first()
      .click();
    await page.getByRole('dialog').waitFor();
  });
  await load();
  await camera.take('palette', async () => {
    await page.keyboard.press('Control+k');
    await page.getByRole('dialog').waitFor();
  });
  await page.keyboard.press('Escape');
  await camera.take('keys', async () => {
    await page.getByRole('navigation', { name: 'Screens' }).getByRole('button').first().focus();
    await page.keyboard.press('?');
    await page.getByRole('dialog').waitFor();
  });
  await page.keyboard.press('Escape');
  await camera.take('endpoints', () => ui.go('Endpoints'));
  await camera.take('tunnel', async () => {
    await ui.go('Tunnel');
    await page.getByRole('radio').first().waitFor();
  });
  await camera.take('refusals', () => ui.go('Refusals'));
  await camera.take('settings', () => ui.go('Settings'));
});

test('a Creel without and with its first endpoint', async ({ page, ui, camera }) => {
  const [engine, app] = [new Engine(), new App()];
  try {
    await Promise.all([engine.start(), app.start()]);
    await camera.take('no-token', () => page.goto(engine.run.admin_url));
    // The two addresses differ in the fragment alone, which loads nothing.
    await page.goto('about:blank');
    await page.goto(engine.link);
    await ui.live();
    await camera.take('no-endpoint', () => page.getByRole('main').waitFor());
    await camera.take('no-refusals', () => ui.go('Refusals'));
    await ui.go('Deliveries');
    const endpoint = await engine.endpoint('Shop', { targets: [{ url: app.url }] });
    await camera.take('first-run', () => page.getByRole('heading', { level: 2 }).first().waitFor());
    const program = new Program(engine, `http://localhost:${new URL(engine.run.ingress_url).port}`);
    await camera.take('tunnel-ready', async () => {
      await engine.api('POST', '/tunnel', program.start);
      await ui.go('Tunnel');
      await page.getByRole('status', { name: 'State of the tunnel' }).filter({ hasText: 'reachable' }).waitFor();
    });
    await engine.api('DELETE', '/tunnel');
    await ui.go('Deliveries');

    // The app goes away: deliveries fail, one after the other.
    await app.stop();
    await engine.api('PUT', `/endpoints/${endpoint.id}/signing-secret`, { signing_secret: 'a-secret-of-the-shop' });
    for (let number = 1; number <= 7; number += 1) {
      const body = JSON.stringify({ event: 'order.paid', number });
      await engine.send(endpoint, body, signature('a-secret-of-the-shop', body));
    }
    await engine.quiet();
    await camera.take('target-down', () => ui.rows.nth(6).waitFor());
    await engine.end('SIGKILL');
    await camera.take('engine-gone', () => page.getByRole('alert').first().waitFor());
  } finally {
    await Promise.all([engine.dispose(), app.stop()]);
  }
});
