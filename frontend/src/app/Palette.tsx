import { Command } from 'cmdk';
import { useLayoutEffect, useMemo, useRef } from 'react';
import { useNavigate } from 'react-router';
import type { Chat } from 'umbler-hub-client';

import { givenNames, openChats, settings } from '../hub/hub.tsx';
import { useStore } from '../hub/store.ts';
import { ownViews } from '../hub/views.ts';
import { labelsFor } from '../live/labels.ts';
import { Icon } from '../parts/icons.tsx';
import { holds } from '../words/fold.ts';
import { contactTitle } from '../words/people.ts';
import { phoneHolds } from '../words/phone-forms.ts';
import { useWords } from '../words/words.ts';
import { PAGES } from './pages.ts';
import type { Act } from './useActs.ts';

/** Longer lists are what the page of chats is for. */
const CHATS_MAX = 8;

interface PaletteProps {
  acts: Act[];
  typed: string;
  type: (typed: string) => void;
  close: () => void;
}

/** One field that leads everywhere: pages, what the head of the page can do, and open chats by name. */
export default function Palette({ acts, typed, type, close }: PaletteProps) {
  const say = useWords();
  const navigate = useNavigate();
  const field = useRef<HTMLInputElement>(null);
  // It takes the place of a field that may hold some letters already: the next ones go behind them.
  useLayoutEffect(() => {
    field.current?.focus();
    field.current?.setSelectionRange(field.current.value.length, field.current.value.length);
  }, []);
  const { chats } = useStore(openChats);
  const given = useStore(givenNames);
  const sectors = useMemo(() => labelsFor('sector', chats, [], given), [chats, given]);
  const go = (run: () => void) => () => {
    close();
    run();
  };
  const pages = PAGES.filter(({ name }) => holds(say(name), typed));
  const team = useStore(settings).settings?.views ?? [];
  const views = [...useStore(ownViews), ...team].filter(({ name }) => holds(name, typed));
  const fitting = acts.filter(({ name }) => holds(name, typed));
  const found = typed.trim() === '' ? [] : chats.filter((chat) => isCalled(chat, typed));
  const search = `/chats?search=${encodeURIComponent(typed.trim())}`;
  return (
    // What fits is found as in the rest of the page, whatever accents are typed.
    <Command className="palette" label={say('palette')} shouldFilter={false} loop>
      <Command.Input
        ref={field}
        data-autofocus=""
        value={typed}
        onValueChange={type}
        placeholder={say('paletteHint')}
      />
      <Command.List label={say('palette')}>
        <Command.Group heading={say('pages')} hidden={pages.length === 0}>
          {pages.map(({ name, path, key }) => (
            <Command.Item key={name} value={path} onSelect={go(() => void navigate(path))}>
              <Icon name={name} />
              {say(name)}
              <span className="quiet">
                <kbd>g</kbd> <kbd>{key}</kbd>
              </span>
            </Command.Item>
          ))}
        </Command.Group>
        {views.length > 0 && (
          <Command.Group heading={say('views')}>
            {views.map(({ name, address }, index) => (
              <Command.Item key={index} value={`view ${index}`} onSelect={go(() => void navigate(address))}>
                <Icon name="views" />
                {name}
              </Command.Item>
            ))}
          </Command.Group>
        )}
        <Command.Group heading={say('commands')} hidden={fitting.length === 0}>
          {fitting.map(({ name, icon, run }) => (
            <Command.Item key={name} value={name} onSelect={go(run)}>
              <Icon name={icon} />
              {name}
            </Command.Item>
          ))}
        </Command.Group>
        {typed.trim() !== '' && (
          <Command.Group heading={say('chats')}>
            {found.slice(0, CHATS_MAX).map((chat) => (
              <Command.Item
                key={chat.id}
                value={`chat ${chat.id}`}
                onSelect={go(() => void navigate(`/chats/${encodeURIComponent(chat.id)}`))}
              >
                <Icon name="chats" />
                {contactTitle(say, chat)}
                <span className="quiet">{chat.sector && sectors.get(chat.sector.id)}</span>
              </Command.Item>
            ))}
            <Command.Item value="search" onSelect={go(() => void navigate(search))}>
              <Icon name="search" />
              {say('searchFor', { words: typed.trim() })}
            </Command.Item>
          </Command.Group>
        )}
      </Command.List>
    </Command>
  );
}

/** By name or phone, as the hub finds them. */
function isCalled({ contactName, contactPhone }: Chat, typed: string): boolean {
  return holds(contactName ?? '', typed) || phoneHolds(contactPhone, typed);
}
