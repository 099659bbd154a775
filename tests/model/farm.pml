/* SPDX-License-Identifier: Apache-2.0 */
/* Revocation over many hosts, as doc/many-hosts.md describes it: host A revokes a
 * token, host B is asked for it. README.md beside this file says what is searched, and
 * why so little is enough; run breaks each rule in turn.
 *
 * B asks server S; T stands for the other servers, which matter for the marks on them
 * alone. One process chooses among all steps that are possible. Any call may fail at
 * any time: a host that is cut off, hangs or is dead is one whose steps fail or are not
 * chosen. A server restarts empty at any time. A mark that was sent is in flight until
 * the server takes it, which may be long after A has given up that connection.
 *
 * Time: ages in ticks, saturated at OLD. Sequences are ranks among the marks that are
 * newer than the newest one B knows; 0 is all others. So the states are finite without
 * a bound on the length of a run or on the number of faults. */

#ifndef W
#define W 1 /* how long trust lasts */
#endif
#define OLD (W + 1)

#define S 0
#define T 1

#define NONE 0 /* states of a mark */
#define FILLING 1
#define WHOLE 2

#define UNLISTED 0 /* does a mark list S as not vouched for? */
#define LISTED 1
#define IN_SERIES 2 /* and so does every mark composed since */

#ifdef SEE
#define SEEN(what) assert(SEE != what)
#define SEEING true
#else
#define SEEN(what) skip
#define SEEING false
#endif
#define ACCEPTED 1
#define REFUSED 2
#define ACKNOWLEDGED 3
#define ACKNOWLEDGED_BY_LIST 4
#define UNLISTED_AGAIN 5

/* --- on the servers -------------------------------------------------------------------- */
bit entry;	 /* the revocation, on S */
byte m_state[2]; /* A's mark */
byte m_seq[2];
byte m_list[2];
bit a_there;	 /* A's sentinel, of the generation in A's page and file, on S */
bit b_there;	 /* B's mark and sentinel, of the generation in B's page, on S */
bit b_echo[2];	 /* B's mark echoes one of A's that was IN_SERIES */

/* In flight. */
byte l_state[2];
byte l_seq[2];
byte l_list[2];

/* --- host A: its file, its page, the link's thread for S ------------------------------- */
bit committed;
bit todo;   /* the journal: not confirmed on S */
bit acked;  /* `add` returned ERR_NONE */
byte since; /* ticks since then */
bit filled; /* the file knows the generation on S: all of the file was written there */
bit whole;  /* and a mark WHOLE was confirmed */
bit reported; /* a worker has said that a put to S failed */
bit series; /* the mark composed last lists S */
bit heard;  /* B has echoed a mark of this series */
#define IDLE 0
#define SENT 1	  /* waits for the answer to the mark in flight */
#define FILLS 2	  /* its mark FILLING is confirmed */
byte at;

/* --- host B: its page, its file, a worker ---------------------------------------------- */
byte newest_seq;  /* A's newest mark that B knows */
byte newest_list;
byte trust;	  /* age of what trust in S is counted from */
bit asking;
byte w_trust;	  /* what the worker has read in the page */
bit w_known;	  /* the generation that it has read is still the one in the page */

byte k, rounds; /* 0 between two steps */

#ifdef LIST_BEFORE_SEQUENCE
bit unlisted_then;
#endif
#ifdef SEQUENCE_LOST
bit booted;
#endif
#ifdef RESTING_NOT_AWAITED
bit rests; /* B has ended orderly */
#else
#define rests false
#endif

/* --- the order of marks ------------------------------------------------------------------ */
#define SEQ_IS(v) (m_seq[S] == v || m_seq[T] == v || l_seq[S] == v || l_seq[T] == v || newest_seq == v)
#define SEQ_ABOVE(v) (m_seq[S] > v || m_seq[T] > v || l_seq[S] > v || l_seq[T] > v || newest_seq > v)
#define LOWER(x) x = ((x) > k -> (x) - 1 : (x))
#define NOT_NEWER(x) x = ((x) > k -> (x) - k : 0)

inline lower_all()
{
	LOWER(m_seq[S]); LOWER(m_seq[T]); LOWER(l_seq[S]); LOWER(l_seq[T]); LOWER(newest_seq)
}

inline close_ranks()
{
	k = 1;
	do
	:: !SEQ_ABOVE(k - 1) -> break
	:: SEQ_ABOVE(k - 1) && SEQ_IS(k) -> k++
	:: SEQ_ABOVE(k - 1) && !SEQ_IS(k) -> lower_all()
	od;
	k = 0
}

/* --- A ----------------------------------------------------------------------------------- */
#define BREAK_SERIES(x) x = (x == IN_SERIES -> LISTED : x)

inline series_broken()
{
	series = 0; heard = 0; b_echo[S] = 0; b_echo[T] = 0;
	BREAK_SERIES(m_list[S]); BREAK_SERIES(m_list[T]); BREAK_SERIES(l_list[S]); BREAK_SERIES(l_list[T]);
	BREAK_SERIES(newest_list)
}

inline dropped(s)
{
	l_state[s] = NONE; l_seq[s] = 0; l_list[s] = UNLISTED
}

/* A reads B's mark on the server. */
#define HEARS(s) heard = heard | (series & b_echo[s])

#ifdef SEQUENCE_LOST
#define SEQUENCE (booted -> 0 : 9)
#else
#define SEQUENCE 9 /* the highest; close_ranks() gives it its rank */
#endif

/* Sequence and list are taken together, then the mark is sent. */
inline send(s, what, lists)
{
	if
	:: lists -> series = 1
	:: else -> series_broken()
	fi;
	l_state[s] = what; l_seq[s] = SEQUENCE; l_list[s] = (series -> IN_SERIES : UNLISTED);
	close_ranks()
}

/* S is listed while it is not whole, and from the moment that a worker has reported a
 * put that failed until the journal holds nothing for S; a put that is still under way is
 * no reason. It may be listed at any time, for entries that are not looked at here. */
#define MUST_LIST (!whole || reported && todo)

#ifdef FILLING_TRUSTED
#define FILLING_LISTS (reported && todo)
#else
#define FILLING_LISTS true
#endif

/* The server takes what is in flight. */
inline taken(s)
{
	m_state[s] = l_state[s]; m_seq[s] = l_seq[s]; m_list[s] = l_list[s];
	dropped(s); close_ranks()
}

inline answered()
{
	at = (filled -> IDLE : FILLS);
	whole = whole || m_state[S] == WHOLE
}

#define IN_ORDER (a_there && filled && !todo && m_state[S] != NONE)

inline a_on_s()
{
	if
	/* A cycle. What was sent before is given up. */
	:: d_step { at == IDLE && IN_ORDER -> HEARS(S); send(S, WHOLE, MUST_LIST); at = SENT }
	:: d_step { at == IDLE && IN_ORDER && !MUST_LIST -> HEARS(S); send(S, WHOLE, true); at = SENT }
	:: d_step { at == IDLE && a_there && m_state[S] == NONE -> HEARS(S); send(S, FILLING, MUST_LIST); at = SENT }
	/* The sentinel is missing or another: a new generation; the mark comes before the sentinel. */
#ifdef FILLED_LATER
	:: d_step { at == IDLE && !a_there -> HEARS(S); whole = 1; filled = 1; a_there = 1; todo = committed;
		send(S, WHOLE, MUST_LIST); at = SENT }
#else
	:: d_step { at == IDLE && !a_there -> HEARS(S); whole = 0; filled = 0; send(S, FILLING, FILLING_LISTS);
		at = SENT }
#endif
	:: d_step { at == FILLS && !filled -> a_there = 1; at = IDLE }
	:: d_step { at == IDLE && a_there && !filled && m_state[S] != NONE ->
		entry = committed; todo = 0; reported = 0; filled = 1 }
	:: d_step { l_state[S] != NONE && at == SENT -> taken(S); answered() }
	:: d_step { l_state[S] != NONE -> taken(S); at = IDLE } /* the answer is lost, or comes too late */
	:: d_step { at != IDLE -> at = IDLE } /* a call fails, is refused, or the link ends */
	:: d_step { todo -> entry = 1; todo = 0; reported = 0 } /* by a worker, or by the link from the journal */
	:: d_step { todo && !reported -> reported = 1 }
	fi
}

inline a_on_t()
{
	if
	:: d_step { HEARS(T); send(T, WHOLE, MUST_LIST) }
	:: d_step { !MUST_LIST -> HEARS(T); send(T, WHOLE, true) }
	:: d_step { l_state[T] != NONE -> taken(T) }
#ifdef REPLACED /* by REPLACE, not by cas: an older mark may still come after this one */
	:: d_step { HEARS(T); series = 1; m_state[T] = WHOLE; m_seq[T] = SEQUENCE; m_list[T] = IN_SERIES;
		close_ranks() }
#endif
#ifdef LIST_BEFORE_SEQUENCE /* the list is made, the sequence is taken later */
	:: d_step { !unlisted_then && !MUST_LIST -> unlisted_then = 1; series_broken() }
	:: d_step { unlisted_then -> l_state[T] = WHOLE; l_seq[T] = 9; l_list[T] = UNLISTED; unlisted_then = 0;
		close_ranks() }
#endif
	fi
}

/* --- B ----------------------------------------------------------------------------------- */
#ifdef LAST_READ_COUNTS
#define IS_NEWER(s) (m_state[s] != NONE)
#else
#define IS_NEWER(s) (m_seq[s] > newest_seq)
#endif
#ifdef LIST_ALONE_IS_NEWS
#define IS_NEWS(s) ((m_list[s] == UNLISTED) != (newest_list == UNLISTED))
#else
#define IS_NEWS(s) (m_list[s] != newest_list || m_list[s] == LISTED)
#endif

/* What B knows is in its page. What is news, also since when a list is as it is, goes to
 * its file before the mark is echoed. */
inline b_reads(s)
{
	if
	:: IS_NEWER(s) ->
		if
		:: newest_list != UNLISTED && m_list[s] == UNLISTED -> SEEN(UNLISTED_AGAIN)
		:: else
		fi;
		newest_seq = m_seq[s];
		if
		:: IS_NEWS(s) ->
			newest_list = m_list[s];
			k = newest_seq;
			NOT_NEWER(m_seq[S]); NOT_NEWER(m_seq[T]); NOT_NEWER(l_seq[S]); NOT_NEWER(l_seq[T]);
			NOT_NEWER(newest_seq)
		:: else
		fi;
		close_ranks()
	:: else
	fi;
	b_echo[s] = m_list[s] == IN_SERIES
}

#ifdef LIST_IGNORED
#define VOUCHED (m_state[S] == WHOLE)
#elif defined(FILLING_TRUSTED)
#define VOUCHED (m_state[S] != NONE && newest_list == UNLISTED)
#elif defined(NO_MARK_NEEDED)
#define VOUCHED newest_list == UNLISTED
#else
#define VOUCHED (m_state[S] == WHOLE && newest_list == UNLISTED)
#endif

inline b_trusts()
{
	trust = (VOUCHED -> 0 : OLD)
}

inline b_fills()
{
	b_there = 1; b_echo[S] = 0; trust = OLD; w_known = 0
}

inline b_steps()
{
	if
	:: d_step { b_there && !rests -> b_reads(S); b_trusts() }
	:: d_step { !b_there && !rests -> b_fills() }
	:: d_step { !rests -> b_reads(T) }
#ifdef RESTING_NOT_AWAITED
	:: d_step { rests = !rests; trust = OLD; asking = 0; w_trust = 0; w_known = 0 }
#endif
	:: d_step { b_there = 0; trust = OLD; asking = 0; w_trust = 0; w_known = 0; /* B boots */
#ifdef NOT_DURABLE
		newest_list = UNLISTED;
#endif
		newest_seq = 0; close_ranks() }
	fi
}

/* --- B's worker ---------------------------------------------------------------------------- */
#ifdef NO_SENTINEL
#define SAME_GENERATION true
#elif defined(GENERATION_READ_LATE)
#define SAME_GENERATION b_there
#else
#define SAME_GENERATION (b_there && w_known)
#endif
#ifdef CLOCK_READ_ONCE
#define IN_TIME true
#else
#define IN_TIME (w_trust <= W)
#endif

inline worker()
{
	if
	:: d_step { (acked || SEEING) && !asking && trust <= W -> asking = 1; w_trust = trust; w_known = 1 }
	:: d_step { asking ->
		if
		:: SAME_GENERATION && IN_TIME && !entry -> SEEN(ACCEPTED); assert(since <= W)
		:: SAME_GENERATION && IN_TIME && entry -> SEEN(REFUSED)
		:: else
		fi;
		asking = 0; w_trust = 0; w_known = 0 }
	fi
}

/* --- acknowledgement, time, servers --------------------------------------------------------- */
#ifdef ACKNOWLEDGED_AT_ONCE
#define MAY_ACKNOWLEDGE true
#elif defined(ACKNOWLEDGED_UNHEARD) /* when the mark that lists S has arrived on T */
#define MAY_ACKNOWLEDGE (!todo || reported && series && m_list[T] == IN_SERIES)
#else
#define MAY_ACKNOWLEDGE (!todo || reported && series && (heard || rests))
#endif

inline acknowledge()
{
	if
	:: d_step { !committed -> committed = 1; todo = 1 }
	:: d_step { committed && !acked && MAY_ACKNOWLEDGE ->
		acked = 1;
		if
		:: todo -> SEEN(ACKNOWLEDGED_BY_LIST)
		:: else -> SEEN(ACKNOWLEDGED)
		fi }
	fi
}

#define AGES(x) x = ((x) < OLD -> (x) + 1 : OLD)

inline tick()
{
	AGES(trust);
	w_trust = (asking && w_trust < OLD -> w_trust + 1 : w_trust);
	since = (acked && since < OLD -> since + 1 : since)
}

/* A's mark alone: A was silent for long. */
inline expires(s)
{
	m_state[s] = NONE; m_seq[s] = 0; m_list[s] = UNLISTED;
#ifndef PLAIN_SET /* else it is set whatever is there */
	dropped(s);
#endif
	close_ranks()
}

inline restarts(s)
{
	expires(s); b_echo[s] = 0;
	if
	:: s == S -> entry = 0; a_there = 0; b_there = 0;
	:: else
	fi
}

/* From any state, without a fault: is everything in order after three cycles? */
inline recovers()
{
	at = IDLE;
	for (k : 1 .. 3) {
		rounds = k;
		k = 0;
		entry = entry | todo; todo = 0; reported = 0;
		if
		:: a_there -> skip
		:: else -> whole = 0; filled = 0; send(S, FILLING, true); taken(S); answered(); a_there = 1; at = IDLE
		fi;
		entry = entry | committed; filled = 1;
		if
		:: m_state[S] == NONE -> send(S, FILLING, MUST_LIST); taken(S); answered()
		:: else
		fi;
		HEARS(S); send(S, WHOLE, MUST_LIST); taken(S); answered();
		HEARS(T); send(T, WHOLE, MUST_LIST); taken(T);
		if
		:: !b_there -> b_fills()
		:: else
		fi;
		b_reads(S); b_trusts(); b_reads(T); tick();
		k = rounds
	}
	k = 0; rounds = 0;
	assert(trust <= W && b_there && !todo && entry == committed && newest_list == UNLISTED)
}

init {
	trust = OLD;
	do
	:: a_on_s()
	:: a_on_t()
	:: b_steps()
	:: worker()
	:: acknowledge()
	:: d_step { tick() }
	:: d_step { restarts(S) }
	:: d_step { restarts(T) }
	:: d_step { expires(S) }
	:: d_step { expires(T) }
	:: d_step { at = IDLE; whole = 0; series_broken(); /* A boots */
#ifdef UNFILLED_BELIEVED
		filled = a_there;
#else
		a_there = a_there & filled;
#endif
#ifdef BOOT_FORGETS_REPORTS
		reported = 0
#else
		reported = todo
#endif
#ifdef SEQUENCE_LOST
		; booted = 1
#endif
	}
#ifdef EVICTS
	:: d_step { entry = 0 }
#endif
#ifdef RECOVERY
	:: d_step { recovers() } -> break
#endif
	od
}
