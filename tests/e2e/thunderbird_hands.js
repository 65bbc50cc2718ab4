// What a person does in Thunderbird, with the modules that its windows do it with. Calendars are named by their path at the server.

const { cal } = ChromeUtils.importESModule("resource:///modules/calendar/calUtils.sys.mjs");
const { CalEvent } = ChromeUtils.importESModule("resource:///modules/CalEvent.sys.mjs");
const { CalTodo } = ChromeUtils.importESModule("resource:///modules/CalTodo.sys.mjs");
const { CalAddTransaction, CalModifyTransaction, CalDeleteTransaction } = ChromeUtils.importESModule(
  "resource:///modules/CalTransactionManager.sys.mjs"
);

// every exchange with a server: method, path, status
const exchanges = [];
Services.obs.addObserver(channel => {
  channel.QueryInterface(Ci.nsIHttpChannel);
  exchanges.push([channel.requestMethod, channel.URI.pathQueryRef, channel.responseStatus]);
}, "http-on-examine-response");

// Marionette turns it off, and then the calendars would ask for the password that was given to find them
Services.prefs.setBoolPref("signon.rememberSignons", true);

const calendarAt = place => cal.manager.getCalendars().find(each => each.uri.filePath === place);

/** A person's change of one item: how it shall look, as iCalendar times and plain words. */
function changed(item, { title, start, end }) {
  const made = item.clone();
  if (title) {
    made.title = title;
  }
  if (start) {
    made.startDate = cal.createDateTime(start);
    made.endDate = cal.createDateTime(end);
  }
  return made;
}

/** Brings a calendar up to date: Thunderbird says that it is loaded when the server has answered, or what it would tell the person. */
function refreshed(calendar) {
  return new Promise((resolve, reject) => {
    const nothing = () => {};
    const end = then => {
      calendar.removeObserver(observer);
      then();
    };
    const observer = {
      QueryInterface: ChromeUtils.generateQI(["calIObserver"]),
      onStartBatch: nothing,
      onEndBatch: nothing,
      onLoad: () => end(resolve),
      onAddItem: nothing,
      onModifyItem: nothing,
      onDeleteItem: nothing,
      onError: (_, code, told) => end(() => reject(new Error(`${code}: ${told}`))),
      onPropertyChanged: nothing,
      onPropertyDeleting: nothing,
    };
    calendar.addObserver(observer);
    calendar.refresh();
  });
}

window.hands = {
  exchanges: () => exchanges.splice(0),

  /** New Calendar, On the Network, all that is found: what each is, after the first look into it. */
  async subscribe(user, password, where) {
    const found = await cal.provider.detection.detect(user, password, where, true, [], {});
    const calendars = [...found.values()].flat();
    for (const calendar of calendars) {
      calendar.setProperty("cache.enabled", true);
      cal.manager.registerCalendar(calendar);
    }
    return Promise.all(
      calendars.map(async ({ uri }) => {
        const calendar = calendarAt(uri.filePath);
        await refreshed(calendar);
        return {
          place: uri.filePath,
          name: calendar.name,
          events: calendar.getProperty("capabilities.events.supported"),
          tasks: calendar.getProperty("capabilities.tasks.supported"),
          writable: cal.acl.isCalendarWritable(calendar),
          schedules: calendar.getProperty("capabilities.autoschedule.supported"),
          organizer: calendar.getProperty("organizerId"),
          disabled: Boolean(calendar.getProperty("disabled")),
        };
      })
    );
  },

  /** Titles and starts of what is in a calendar from one day to another, each occurrence by itself, after asking the server. */
  async shows(place, from, to) {
    const calendar = calendarAt(place);
    await refreshed(calendar);
    const filter = Ci.calICalendar.ITEM_FILTER_ALL_ITEMS | Ci.calICalendar.ITEM_FILTER_CLASS_OCCURRENCES;
    const found = await calendar.getItemsAsArray(filter, 0, cal.createDateTime(from), cal.createDateTime(to));
    return found.map(each => [each.title, (each.startDate ?? each.dueDate).getInTimezone(cal.dtz.UTC).icalString]);
  },

  async create(place, text) {
    const item = text.includes("BEGIN:VTODO") ? new CalTodo(text) : new CalEvent(text);
    item.calendar = calendarAt(place);
    await new CalAddTransaction(item, item.calendar, null).doTransaction();
  },

  async change(place, uid, how) {
    const old = await calendarAt(place).getItem(uid);
    await new CalModifyTransaction(changed(old, how), old.calendar, old).doTransaction();
  },

  /** To another calendar: Thunderbird adds it there and then deletes it here. */
  async move(place, uid, to) {
    const old = await calendarAt(place).getItem(uid);
    const item = old.clone();
    item.calendar = calendarAt(to);
    await new CalModifyTransaction(item, item.calendar, old).doTransaction();
  },

  /** Changes one occurrence of a series, named by its original start. */
  async changeOccurrence(place, uid, original, how) {
    const series = await calendarAt(place).getItem(uid);
    const old = series.recurrenceInfo.getOccurrenceFor(cal.createDateTime(original));
    await new CalModifyTransaction(changed(old, how), old.calendar, old).doTransaction();
  },

  async remove(place, uid) {
    const item = await calendarAt(place).getItem(uid);
    await new CalDeleteTransaction(item, item.calendar, null).doTransaction();
  },

  /** What the list of open invitations has. */
  async invitations() {
    const found = await cal.iterate.streamToArray(getInvitationsManager().getInvitations());
    return found.map(each => each.title);
  },

  /** Answers as that list does. */
  async answer(place, uid, status) {
    const old = await calendarAt(place).getItem(uid);
    const item = old.clone();
    const me = cal.itip.getInvitedAttendee(item).clone();
    item.removeAttendee(cal.itip.getInvitedAttendee(item));
    me.participationStatus = status;
    item.addAttendee(me);
    await getInvitationsManager().processJobQueue([{ action: "modify", oldItem: old, newItem: item }]);
  },

  /** Asks, as the window for guests does, when somebody is busy. */
  busy(who, from, to) {
    const found = [];
    return new Promise(resolve => {
      cal.freeBusyService.getFreeBusyIntervals(
        `mailto:${who}`,
        cal.createDateTime(from),
        cal.createDateTime(to),
        Ci.calIFreeBusyInterval.BUSY_ALL,
        {
          onResult(operation, intervals) {
            found.push(...intervals.map(({ interval }) => [interval.start.icalString, interval.end.icalString]));
            if (!operation.isPending) {
              resolve(found);
            }
          },
        }
      );
    });
  },
};
