// What can be typed in a chat, as /help lists it.

export const chatHelp: readonly string[] = [
  '/talk NAME     talk with somebody, who is asked first; /talk #12 is a room',
  '/accept        accept who asks you; /accept NAME when several do',
  '/decline       decline them',
  '/exit          talk with nobody; what comes is still shown',
  '/history [N]   the newest 20 messages, or N; ✓ has arrived, ✓✓ is read',
  '/edit TEXT     change your last message',
  '/delete        delete it, for everybody',
  '/react EMOJI   react to the last message of somebody else',
  '/file PATH     send a file',
  '/pay 5 for X   pay whom you talk with, or /pay NAME 5 for X; it asks first. /pay alone pays what they asked for',
  '/request 5     ask to be paid; /requests lists what is open',
  '/balance       tell what you have',
  '/status        tell whether there is a connection, and with whom you talk directly',
  '/who           list who is here',
  '/contacts      list your contacts',
  '/rooms         list your rooms',
  '/block NAME    hear nothing more of somebody, who is not told',
  '/unblock NAME  take that back',
  '/quit          end; so does Ctrl-D',
  '//...          says a line that begins with /',
]
