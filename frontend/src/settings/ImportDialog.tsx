import { Button } from '@mantine/core';
import { useState, type FormEvent } from 'react';

import { codeOf, messageOf, reasonOf } from '../hub/errors.ts';
import { hub } from '../hub/hub.tsx';
import { PATH, type ListedMember } from '../hub/members.ts';
import { read } from '../hub/reads.ts';
import { Dialog } from '../parts/Dialog.tsx';
import { csvOf, separator } from '../parts/csv.ts';
import { fileName, saveFile } from '../parts/save.ts';
import { faultInWords } from '../words/faults.ts';
import { number } from '../words/format.ts';
import { reasonInWords } from '../words/reasons.ts';
import { locale, useWords } from '../words/words.ts';

interface Report {
  entries: number;
  changed: boolean;
}

interface Wrong {
  line: string | null;
  what: string;
}

/** Entries out of a spreadsheet: all of them or none, with every wrong line named. */
export function ImportDialog({ close }: { close: () => void }) {
  const say = useWords();
  const [file, setFile] = useState<File | null>(null);
  const [busy, setBusy] = useState(false);
  const [report, setReport] = useState<Report | null>(null);
  const [wrong, setWrong] = useState<Wrong[] | null>(null);

  async function submit(event: FormEvent) {
    event.preventDefault();
    if (file === null) return;
    setBusy(true);
    setReport(null);
    setWrong(null);
    try {
      // As it is: the hub says where a file is no UTF-8, and a text would hide that.
      const { entries, seq } = await hub.send('POST', `${PATH}/import`, file, 'text/csv');
      setReport({ entries, changed: seq !== null });
    } catch (error) {
      setWrong(codeOf(error) === 'bad_request' ? linesOf(messageOf(error)) : [{ line: null, what: reasonOf(error) }]);
    }
    setBusy(false);
  }

  return (
    <Dialog title={say('importCsv')} close={close}>
      <form onSubmit={submit} className="form">
        <p className="quiet">{say('importHint')}</p>
        <Template />
        <label className="file">
          <span>{say('csvFile')}</span>
          <input
            type="file"
            accept=".csv,text/csv"
            required
            onChange={(event) => {
              setFile(event.currentTarget.files?.[0] ?? null);
              setReport(null);
              setWrong(null);
            }}
          />
        </label>
        <div role="status">
          {report !== null && (
            <p className="success">
              {say(report.changed ? 'imported' : 'importedNothing', { count: number(report.entries) })}
            </p>
          )}
        </div>
        {wrong !== null && <WrongLines wrong={wrong} />}
        <footer>
          <Button variant="default" onClick={close}>
            {say('close')}
          </Button>
          <Button type="submit" loading={busy} disabled={file === null}>
            {say('importNow')}
          </Button>
        </footer>
      </form>
    </Dialog>
  );
}

function WrongLines({ wrong }: { wrong: Wrong[] }) {
  const say = useWords();
  return (
    <div role="alert" className="wrong-lines">
      <p className="refusal">{say('importRefused')}</p>
      <table>
        <thead>
          <tr>
            <th scope="col">{say('line')}</th>
            <th scope="col">{say('reason')}</th>
          </tr>
        </thead>
        <tbody>
          {wrong.map(({ line, what }, index) => (
            <tr key={index}>
              <th scope="row">{line ?? '–'}</th>
              <td>{what}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Every agent that has no name yet, ready to be filled in. */
function Template() {
  const say = useWords();
  const [failure, setFailure] = useState<string | null>(null);
  async function make() {
    setFailure(null);
    try {
      const rows = [['id', 'name', 'photoUrl', 'sectorId']];
      for (let cursor: string | undefined; ; ) {
        const page = await read(PATH, { known: 'false', limit: 200, cursor });
        for (const { id } of page.members as ListedMember[]) rows.push([id, '', '', '']);
        if (page.nextCursor === null) break;
        cursor = page.nextCursor;
      }
      saveFile(csvOf(rows, separator(locale())), `${fileName(say('agents'))}.csv`);
    } catch (error) {
      setFailure(reasonOf(error));
    }
  }
  return (
    <p className="template">
      <Button size="compact-sm" variant="default" onClick={() => void make()}>
        {say('template')}
      </Button>
      {failure !== null && (
        <span role="alert" className="refusal">
          {' '}
          {say('failed', { reason: failure })}
        </span>
      )}
    </p>
  );
}

/** The hub names the lines one after the other: `line 3: name is missing; line 4: …`. */
function linesOf(message: string): Wrong[] {
  return message.split(/; (?=line \d+: )/).map((text) => {
    const found = /^line (\d+): (.*)$/s.exec(text);
    return found ? { line: found[1] ?? null, what: inWords(found[2] ?? '') } : { line: null, what: inWords(text) };
  });
}

/** What is wrong with a line, or with one of its columns: their names are those of the file. */
function inWords(what: string): string {
  const [, column = '', fault = what] = /^(id|name|photoUrl|sectorId) (.*)$/s.exec(what) ?? [];
  return [column, faultInWords(fault) ?? reasonInWords('bad_request', fault)].filter(Boolean).join(' ');
}
