import type { ReactNode } from 'react';

import { useNow } from '../hub/clock.ts';
import { arrivals, umblerLink } from '../hub/hub.tsx';
import type { Link } from '../hub/link.ts';
import { useStore } from '../hub/store.ts';
import { Icon, type IconName } from '../parts/icons.tsx';
import { clock, clockMinute, delay, number } from '../words/format.ts';
import { named, type Say, useWords } from '../words/words.ts';
import { lastMinuteOf, type Vitals } from './vitals.ts';

/** The queue is as good as empty below this. */
export const QUEUED_MANY = 100;

/** Where Umbler cannot be asked, a delivery says that all is well for so long. */
const QUIET_MS = 15 * 60_000;
/** Nobody needs to know by the second how long ago this was. */
const JUST_MS = 5000;

type Tone = 'good' | 'warn' | 'bad' | 'none';

/** The way of a delivery as a picture: from the provider through the hub onto the disk and to the screens. */
export function Way({ vitals: { health, webhook, readAt, rate } }: { vitals: Vitals }) {
  const say = useWords();
  const now = useNow();
  const { medianMs } = useStore(arrivals);
  const silence = useStore(umblerLink)?.silence ?? null;
  const { lastDeliveryAt } = webhook;
  const { taken, isOver, at } = lastMinuteOf(webhook, readAt);
  const perMinute = rate?.perMinute ?? taken;
  const hubWord = ({ draining: 'drainingWord', behind: 'behindWord' } as const)[health.status as 'draining' | 'behind'];
  const isDamaged = health.integrity.startsWith('damaged');
  const isStored = health.status !== 'unwritable' && !isDamaged;
  return (
    <section className="card" aria-labelledby="way-title">
      <h2 id="way-title">{say('way')}</h2>
      <ol className="way">
        <Stage
          icon="provider"
          name={say('wayProvider')}
          tone={toneOf(silence, lastDeliveryAt, now)}
          state={[
            isSilent(silence) && say(`silence_${silence.finding}`, { count: silence.lost }),
            lastDeliveryAt === null ? say('noDeliveries') : lastIn(say, now - Date.parse(lastDeliveryAt)),
          ]
            .filter(Boolean)
            .join(' · ')}
        >
          {rate === null && !isOver
            ? say('waySince', { taken: number(taken), time: clockMinute(at) })
            : say('wayRate', { count: number(Math.round(perMinute)) })}
        </Stage>
        <Stage
          icon="hub"
          name={say('hub')}
          tone={hubWord || health.queued > QUEUED_MANY ? 'warn' : 'good'}
          state={say(hubWord ?? 'wayTakes')}
        >
          {say('wayQueued', { count: number(health.queued) })}
        </Stage>
        <Stage
          icon="disk"
          name={say('wayDisk')}
          tone={isStored ? 'good' : 'bad'}
          state={
            isStored
              ? say('wayStores')
              : isDamaged
                ? say('damaged')
                : `${say('unwritableWord')}: ${named(say, health.reason ?? 'other')}`
          }
        >
          {rate !== null && `${say('wayStored', { stored: number(Math.round(rate.storedPerMinute)) })} · `}
          {say('wayPosition', { count: number(health.seq) })}
        </Stage>
        <Stage
          icon="wall"
          name={say('wayScreens')}
          tone={health.sessions > 0 ? 'good' : 'none'}
          state={say('waySessions', { count: number(health.sessions) })}
        >
          {medianMs === null ? say('noDelay') : say('delay', { age: delay(medianMs) })}
        </Stage>
      </ol>
    </section>
  );
}

function lastIn(say: Say, ageMs: number): string {
  return ageMs < JUST_MS ? say('wayLastNow') : say('wayLast', { age: clock(ageMs) });
}

function isSilent(silence: Link['silence']): silence is NonNullable<Link['silence']> {
  return silence?.finding === 'deliveries_lost' || silence?.finding === 'silent_unverified';
}

/** Whether it is quiet or deliveries are lost, only the comparison with Umbler tells; without it, silence is nothing to call good. */
function toneOf(silence: Link['silence'], lastDeliveryAt: string | null, now: number): Tone {
  if (silence?.finding === 'deliveries_lost') return 'bad';
  if (silence?.finding === 'silent_unverified') return 'warn';
  if (lastDeliveryAt === null) return 'none';
  return silence !== null || now - Date.parse(lastDeliveryAt) < QUIET_MS ? 'good' : 'none';
}

interface StageProps {
  icon: IconName;
  name: string;
  tone: Tone;
  /** How it stands, in words: the tone alone says nothing to some. */
  state: string;
  children: ReactNode;
}

function Stage({ icon, name, tone, state, children }: StageProps) {
  return (
    <li className="stage" data-tone={tone}>
      <Icon name={icon} />
      <strong>{name}</strong>
      <span className="stage-state">{state}</span>
      <span className="quiet">{children}</span>
    </li>
  );
}
