import { Button, Textarea } from '@mantine/core';
import { useEffect, useId, useMemo, useRef, useState, type KeyboardEvent } from 'react';
import type { Chat, Message, OutboxEntry, Writing } from 'umbler-hub-client';

import { hub, useHub } from '../hub/hub.tsx';
import { Outbox } from '../hub/outbox.ts';
import { usePart, useStore } from '../hub/store.ts';
import type { Word } from '../words/en.ts';
import { clockMinute, fullMoment } from '../words/format.ts';
import { useWords } from '../words/words.ts';
import { drafts } from './drafts.ts';
import './composer.css';

/** WhatsApp takes no longer text. */
const TEXT_CHARS_MAX = 4096;
/** From here on it is told how much is left. */
const LEFT_SHOWN = 200;

/** Answers the customer, or makes a note for the team; above it, what is on its way. */
export function Composer({ chat: { id, contactId }, messages }: { chat: Chat; messages: Message[] | null }) {
  const { isConnected } = useHub();
  const outbox = useMemo(() => new Outbox(hub, id), [id]);
  const [opened, setOpened] = useState(isConnected);
  if (isConnected && !opened) setOpened(true);
  useEffect(() => {
    if (!opened) return;
    outbox.open();
    return () => outbox.close();
  }, [outbox, opened]);
  useEffect(() => {
    outbox.contactId = contactId;
  }, [outbox, contactId]);
  const say = useWords();
  const { entries, writing, failure } = useStore(outbox);
  const shown = new Set(messages?.map((message) => message.id));
  const onTheWay = entries.filter(
    ({ state, messageId }) => state === 'failed' || messageId === null || !shown.has(messageId),
  );
  return (
    <>
      {onTheWay.length > 0 && <Outgoing entries={onTheWay} outbox={outbox} />}
      {writing === null && failure !== null && (
        <p className="composer-shut quiet" role="status" data-refused="unknown">
          {say('composeUnknown', { reason: failure })}
        </p>
      )}
      {writing !== null && <Form key={id} outbox={outbox} writing={writing} />}
    </>
  );
}

function Outgoing({ entries, outbox }: { entries: OutboxEntry[]; outbox: Outbox }) {
  const say = useWords();
  const end = useRef<HTMLLIElement>(null);
  const last = entries.at(-1)?.id;
  // biome-ignore lint/correctness/useExhaustiveDependencies: another last one is to be seen
  useEffect(() => {
    // Newer browsers answer with a promise, which is no clean-up.
    void end.current?.scrollIntoView({ block: 'nearest' });
  }, [last]);
  return (
    <ol className="outgoing" aria-label={say('outgoing')}>
      {entries.map((entry, index) => (
        <li
          key={entry.tempId}
          className="message"
          data-direction="out"
          data-private={entry.private || undefined}
          data-outbox={entry.state}
          ref={index === entries.length - 1 ? end : undefined}
        >
          {entry.private && <p className="note">{say('note')}</p>}
          <p className="text">{entry.text ?? say('hidden')}</p>
          <p className="marks">
            <time dateTime={entry.queuedAt} title={fullMoment(entry.queuedAt)}>
              {clockMinute(entry.queuedAt)}
            </time>
            <span className="state" role="status">
              {say(`out_${entry.state}` as Word)}
            </span>
          </p>
          {(entry.state === 'failed' || entry.state === 'unconfirmed') && <Decision entry={entry} outbox={outbox} />}
        </li>
      ))}
    </ol>
  );
}

function Decision({ entry, outbox }: { entry: OutboxEntry; outbox: Outbox }) {
  const say = useWords();
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<string | null>(null);
  async function decide(decision: Promise<string | null>) {
    setBusy(true);
    setRefusal(await decision);
    setBusy(false);
  }
  return (
    <div className="decision">
      <p>{entry.reason && say(`why_${entry.reason}`, { detail: entry.detail ?? '' })}</p>
      {refusal && <p role="alert">{refusal}</p>}
      <p className="acts">
        <Button size="compact-sm" variant="default" disabled={busy} onClick={() => void decide(outbox.resend(entry))}>
          {say('sendAgain')}
        </Button>
        <Button size="compact-sm" variant="subtle" disabled={busy} onClick={() => void decide(outbox.discard(entry))}>
          {say('dropMessage')}
        </Button>
      </p>
    </div>
  );
}

function Form({ outbox, writing }: { outbox: Outbox; writing: Writing }) {
  const say = useWords();
  const hint = useId();
  const field = useRef<HTMLTextAreaElement>(null);
  const { chat: id } = outbox;
  const text = usePart(drafts, () => drafts.of(id));
  const [isNote, setNote] = useState(false);
  const [refusal, setRefusal] = useState<string | null>(null);
  const { refused, windowUntil } = writing;
  const isShut = refused !== null && refused !== 'window_closed';
  const takesReplies = refused === null;
  const isPrivate = isNote || !takesReplies;
  const left = TEXT_CHARS_MAX - [...text].length;
  const canSend = text.trim() !== '' && left >= 0;

  const write = (value: string) => drafts.keep(id, value, outbox.contactId);

  async function send() {
    if (!canSend) return;
    const [sent, { erasures }] = [text, outbox];
    setRefusal(null);
    write('');
    const refusal = await outbox.send(sent, isPrivate);
    if (refusal === null) return;
    setRefusal(refusal);
    // What was written to a person who was erased meanwhile does not come back.
    if (outbox.erasures !== erasures) return;
    // Whatever was written meanwhile stays behind it.
    const meanwhile = drafts.of(id);
    write(meanwhile === '' ? sent : `${sent}\n${meanwhile}`);
    field.current?.focus();
  }

  function press(event: KeyboardEvent) {
    if (event.key !== 'Enter' || event.nativeEvent.isComposing) return;
    if (event.shiftKey && !event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    void send();
  }

  const reason = refused && say(`refused_${refused}`, { at: windowUntil ? fullMoment(windowUntil) : '' });
  if (isShut)
    return (
      <p className="composer-shut quiet" role="status" data-refused={refused}>
        {reason}
      </p>
    );
  return (
    <form
      className="composer"
      aria-label={say('composer')}
      data-note={isPrivate || undefined}
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      {reason && (
        <p className="quiet" role="status" data-refused={refused}>
          {reason}
        </p>
      )}
      <fieldset className="kinds">
        <legend className="hidden">{say('composeAs')}</legend>
        {[false, true].map((note) => (
          <label key={String(note)} data-chosen={isPrivate === note || undefined}>
            <input
              type="radio"
              name={`${hint}-kind`}
              checked={isPrivate === note}
              disabled={!note && !takesReplies}
              onChange={() => setNote(note)}
            />
            {say(note ? 'compose_note' : 'compose_reply')}
          </label>
        ))}
      </fieldset>
      <div className="line">
        <Textarea
          ref={field}
          className="field"
          aria-label={say(isPrivate ? 'composeNote' : 'composeReply')}
          aria-describedby={hint}
          placeholder={say(isPrivate ? 'composeNote' : 'composeReply')}
          value={text}
          onChange={(event) => write(event.currentTarget.value)}
          onKeyDown={press}
          autosize
          minRows={1}
          maxRows={6}
        />
        <Button type="submit" disabled={!canSend}>
          {say(isPrivate ? 'composeSave' : 'composeSend')}
        </Button>
      </div>
      <p id={hint} className="quiet small">
        {left < 0
          ? say('composeTooLong', { count: -left })
          : left <= LEFT_SHOWN
            ? say('composeLeft', { count: left })
            : say('composeHint')}
      </p>
      {refusal && (
        <p className="refusal" role="alert">
          {say('composeFailed', { reason: refusal })}
        </p>
      )}
    </form>
  );
}
