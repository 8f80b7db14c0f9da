import type { Chat } from 'umbler-hub-client';

import { words } from '../words/words.ts';

/** The open chats, the latest first. */
export function ChatList({ chats }: { chats: Chat[] }) {
  if (chats.length === 0) return <p>{words.noChats}</p>;
  return (
    <ul className="chats">
      {chats.map((chat) => (
        <li key={chat.id}>
          <strong>{chat.contactName ?? words.unnamed}</strong>
          <span>{chat.lastMessage?.text}</span>
        </li>
      ))}
    </ul>
  );
}
