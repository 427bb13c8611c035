import { expect, test, type Window } from './fixtures';

async function look(ui: Window, as: 'Pretty' | 'Raw' | 'Hex' | 'Fields' | 'Parts'): Promise<void> {
  await ui.panel.getByRole('radiogroup').getByText(as, { exact: true }).click();
}

test('formatted JSON is the same text with other white space', async ({ ui, engine }) => {
  const endpoint = await engine.endpoint('JSON');
  const body =
    '{"event":"exact","big":9007199254740993,"one":1.0,"huge":1e400,"a":1,"a":2,"z":"\\u00e9\\/","b":{},"c":[ ]}';
  await engine.send(endpoint, body);
  await ui.row('exact').click();
  await ui.tab('Body');
  const shown = ui.panel.getByTestId('body-text');
  const lines = [
    '"big": 9007199254740993,',
    '"one": 1.0,',
    '"huge": 1e400,',
    '"a": 1,',
    '"a": 2,',
    '"z": "\\u00e9\\/",',
  ];
  for (const line of [...lines, '"b": {},', '"c": []']) await expect(shown).toContainText(line);
  await expect(ui.panel.getByTestId('body-said')).toHaveText(
    `${new TextEncoder().encode(body).length} bytes Formatted view, not the signed bytes.`,
  );
  await look(ui, 'Raw');
  await expect(shown).toHaveText(body);
  await look(ui, 'Hex');
  await expect(ui.panel.getByTestId('body-hex')).toContainText('7b 22 65 76 65 6e 74 22');
});

test('JSON that is none is shown as it came, with the place of the mistake', async ({ ui, engine }) => {
  const endpoint = await engine.endpoint('Broken');
  await engine.send(endpoint, '{\n"a":1,}', { 'X-Event-Type': 'broken' });
  await ui.row('broken').click();
  await ui.tab('Body');
  await expect(ui.panel.getByTestId('body-said')).toContainText(
    'not valid JSON: “}” where a name should come (line 2, column 7)',
  );
  await expect(ui.panel.getByRole('radio', { name: 'Pretty' })).toHaveCount(0);
});

test('search, fold and wrap', async ({ ui, engine }) => {
  const endpoint = await engine.endpoint('Find');
  const items = Array.from({ length: 300 }, (_, n) => ({ n, text: `item ${n}` }));
  await engine.send(endpoint, JSON.stringify({ event: 'find', items }));
  await ui.row('find').click();
  await ui.page.keyboard.press('Control+f');
  await ui.page.getByRole('textbox', { name: 'Find' }).pressSequentially('item 289');
  await ui.page.keyboard.press('Enter');
  // Not in the whole panel: the editor also announces the match to screen readers.
  await expect(ui.panel.getByTestId('body-text').getByText('"item 289"')).toBeVisible();
  await ui.page.keyboard.press('Escape');
  await ui.panel.getByTestId('body-text').press('Control+Home');
  await ui.panel.getByTitle('Fold line').nth(1).click();
  await expect(ui.panel.getByText('…')).toBeVisible();
  await expect(ui.panel.getByTestId('body-text').getByText('"item 0"')).toHaveCount(0);
  const content = ui.panel.getByTestId('body-text');
  await expect(content).toHaveClass(/cm-lineWrapping/);
  await ui.panel.getByRole('switch', { name: 'Wrap' }).click();
  await expect(content).not.toHaveClass(/cm-lineWrapping/);
});

test('invisible and reordering characters are marked with their names', async ({ ui, engine }) => {
  const endpoint = await engine.endpoint('Marks');
  await engine.send(endpoint, `{"event":"marks","text":"a\u202eb\u200b\u00adc"}\r\n`);
  await ui.row('marks').click();
  await ui.tab('Body');
  await look(ui, 'Raw');
  const shown = ui.panel.getByTestId('body-text');
  for (const name of [
    'right-to-left override U+202E',
    'zero-width space U+200B',
    'soft hyphen U+00AD',
    'control character U+000D',
  ]) {
    await expect(shown.getByTitle(name)).toBeVisible();
  }
});

test('form fields, parts and query fields', async ({ ui, engine }) => {
  const endpoint = await engine.endpoint('Forms');
  await engine.send(
    endpoint,
    'name=J%C3%B6rg+M&item=1&item=2&bad=%ff',
    {
      'Content-Type': 'application/x-www-form-urlencoded',
      'X-Event-Type': 'a.form',
    },
    '/in?page=1&page=%C3%A9',
  );
  const parts =
    '--B\r\nContent-Disposition: form-data; name="note"\r\n\r\nhello\r\n--B\r\nContent-Disposition: form-data; name="f"; filename="x.bin"\r\n\r\n\u0000\u0001\u0002\r\n--B--\r\n';
  await engine.send(endpoint, parts, {
    'Content-Type': 'multipart/form-data; boundary=B',
    'X-Event-Type': 'some.parts',
  });
  await ui.row('a.form').click();
  await ui.tab('Body');
  const fields = ui.panel.getByRole('table', { name: 'Form fields' });
  await expect(fields.getByRole('row', { name: /name/ }).first()).toContainText('Jörg M');
  await expect(fields.getByRole('row', { name: /item ×2/ })).toHaveCount(2);
  await expect(fields.getByRole('row', { name: /bad/ })).toContainText('%ff');
  await ui.panel.getByRole('button', { name: 'Query (2)' }).click();
  await expect(ui.panel.getByRole('table', { name: 'Query fields' })).toContainText('é');
  await ui.row('some.parts').click();
  const table = ui.panel.getByRole('table', { name: 'Parts' });
  await expect(table.getByRole('row', { name: /note/ })).toContainText('hello');
  await expect(table.getByRole('row', { name: /x\.bin/ })).toContainText('3 bytes');
});

test('bytes that are no UTF-8 are hex, and every byte can be saved', async ({ ui, engine }) => {
  const endpoint = await engine.endpoint('Binary');
  const bytes = Uint8Array.from({ length: 1000 }, (_, at) => (at * 7) % 256);
  await engine.send(endpoint, bytes, { 'Content-Type': 'application/octet-stream', 'X-Event-Type': 'binary' });
  await ui.row('binary').click();
  await ui.tab('Body');
  await expect(ui.panel.getByTestId('body-said')).toHaveText('1,000 bytes Not UTF-8.');
  await expect(ui.panel.getByTestId('body-hex')).toContainText('00000000  00 07 0e 15');
  const [download] = await Promise.all([
    ui.page.waitForEvent('download'),
    ui.panel.getByRole('button', { name: 'Download' }).click(),
  ]);
  const pieces: Buffer[] = [];
  for await (const piece of await download.createReadStream()) pieces.push(piece as Buffer);
  expect(Buffer.concat(pieces).equals(Buffer.from(bytes))).toBe(true);
});

test('a body of several megabytes is read line by line, searched and jumped through', async ({ ui, engine }) => {
  const endpoint = await engine.endpoint('Large');
  const rows = Array.from({ length: 120_000 }, (_, n) => `{"n":${n},"text":"row ${n} \u00e9","big":1.0}`);
  const body = `{"event":"large","rows":[${rows.join(',')}],"last":"needle"}`;
  await engine.send(endpoint, body);
  await engine.quiet();
  await ui.row('large').click();
  await ui.tab('Body');
  const lines = ui.panel.getByTestId('body-lines');
  await expect(lines).toContainText('"event": "large",');
  const size = new TextEncoder().encode(body).length;
  await expect(ui.panel.getByTestId('body-said')).toContainText(`${size.toLocaleString('en-US')} bytes`);
  await expect(ui.panel.getByTestId('body-said')).toContainText('600,006 lines');
  await ui.page.keyboard.press('Control+f');
  await ui.page.keyboard.type('"needle"');
  await ui.page.keyboard.press('Enter');
  await expect(lines).toContainText('"last": "needle"');
  await expect(ui.panel.getByText('1 match', { exact: true })).toBeVisible();
  await lines.focus();
  await ui.page.keyboard.press('Home');
  await expect(lines).toContainText('"event": "large",');
  await ui.page.keyboard.press('End');
  await expect(lines).toContainText('600,006');
  // The bar stands for all lines, and the wheel still moves by lines.
  await lines.hover();
  await ui.page.mouse.wheel(0, -400);
  await expect(lines).not.toContainText('600,006');
  await expect(lines).toContainText('599,980');
  await look(ui, 'Raw');
  await expect(ui.panel.getByText('↪').first()).toBeVisible();
  await look(ui, 'Hex');
  const hex = ui.panel.getByTestId('body-hex');
  await expect(hex).toContainText('7b 22 65 76 65 6e 74');
  await hex.focus();
  await ui.page.keyboard.press('End');
  await expect(hex).toContainText('22 7d');
});
