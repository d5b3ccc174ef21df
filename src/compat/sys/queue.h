/* <sys/queue.h> for a C library that has none, as musl: linked lists whose links lie in the elements. What it
 * offers are the names and the layout of the BSDs, as far as they are used here; CMake puts it into the way
 * of the compiler only where the system's own is missing.
 *
 *   SLIST    a single link; to remove one from the middle takes a search
 *   STAILQ   a single link and the end; as above
 *   TAILQ    a link both ways; removes from anywhere
 *
 * Libevent's struct event has such links, too: a TAILQ_ENTRY is laid out as libevent's own. */
#ifndef HOMECALL_COMPAT_SYS_QUEUE_H
#define HOMECALL_COMPAT_SYS_QUEUE_H

/* ---- SLIST ---- */

#define SLIST_HEAD(name, type)  \
    struct name {               \
        struct type *slh_first; \
    }
#define SLIST_HEAD_INITIALIZER(head) \
    {                                \
        NULL                         \
    }
#define SLIST_ENTRY(type)      \
    struct {                   \
        struct type *sle_next; \
    }
#define SLIST_FIRST(head)         ((head)->slh_first)
#define SLIST_NEXT(element, link) ((element)->link.sle_next)
#define SLIST_EMPTY(head)         (SLIST_FIRST(head) == NULL)
#define SLIST_INIT(head)          ((void)(SLIST_FIRST(head) = NULL))
#define SLIST_FOREACH(element, head, link) \
    for ((element) = SLIST_FIRST(head); (element) != NULL; (element) = SLIST_NEXT(element, link))
#define SLIST_INSERT_HEAD(head, element, link)         \
    do {                                               \
        SLIST_NEXT(element, link) = SLIST_FIRST(head); \
        SLIST_FIRST(head) = (element);                 \
    } while (0)
#define SLIST_REMOVE_HEAD(head, link) ((void)(SLIST_FIRST(head) = SLIST_NEXT(SLIST_FIRST(head), link)))
#define SLIST_REMOVE(head, element, type, link) \
    do {                                        \
        struct type **at_ = &SLIST_FIRST(head); \
        while (*at_ != (element))               \
            at_ = &SLIST_NEXT(*at_, link);      \
        *at_ = SLIST_NEXT(*at_, link);          \
    } while (0)

/* ---- STAILQ: stqh_last is the place where the next element is to be put ---- */

#define STAILQ_HEAD(name, type)  \
    struct name {                \
        struct type *stqh_first; \
        struct type **stqh_last; \
    }
#define STAILQ_HEAD_INITIALIZER(head) \
    {                                 \
        NULL, &(head).stqh_first      \
    }
#define STAILQ_ENTRY(type)      \
    struct {                    \
        struct type *stqe_next; \
    }
#define STAILQ_FIRST(head)         ((head)->stqh_first)
#define STAILQ_NEXT(element, link) ((element)->link.stqe_next)
#define STAILQ_EMPTY(head)         (STAILQ_FIRST(head) == NULL)
#define STAILQ_INIT(head)                        \
    do {                                         \
        STAILQ_FIRST(head) = NULL;               \
        (head)->stqh_last = &STAILQ_FIRST(head); \
    } while (0)
#define STAILQ_FOREACH(element, head, link) \
    for ((element) = STAILQ_FIRST(head); (element) != NULL; (element) = STAILQ_NEXT(element, link))
#define STAILQ_INSERT_HEAD(head, element, link)              \
    do {                                                     \
        if (STAILQ_EMPTY(head))                              \
            (head)->stqh_last = &STAILQ_NEXT(element, link); \
        STAILQ_NEXT(element, link) = STAILQ_FIRST(head);     \
        STAILQ_FIRST(head) = (element);                      \
    } while (0)
#define STAILQ_INSERT_TAIL(head, element, link)          \
    do {                                                 \
        STAILQ_NEXT(element, link) = NULL;               \
        *(head)->stqh_last = (element);                  \
        (head)->stqh_last = &STAILQ_NEXT(element, link); \
    } while (0)
#define STAILQ_REMOVE_HEAD(head, link)                              \
    do {                                                            \
        STAILQ_FIRST(head) = STAILQ_NEXT(STAILQ_FIRST(head), link); \
        if (STAILQ_EMPTY(head))                                     \
            (head)->stqh_last = &STAILQ_FIRST(head);                \
    } while (0)
#define STAILQ_REMOVE(head, element, type, link) \
    do {                                         \
        struct type **at_ = &STAILQ_FIRST(head); \
        while (*at_ != (element))                \
            at_ = &STAILQ_NEXT(*at_, link);      \
        *at_ = STAILQ_NEXT(*at_, link);          \
        if (*at_ == NULL)                        \
            (head)->stqh_last = at_;             \
    } while (0)
#define STAILQ_CONCAT(to, from)                    \
    do {                                           \
        if (!STAILQ_EMPTY(from)) {                 \
            *(to)->stqh_last = STAILQ_FIRST(from); \
            (to)->stqh_last = (from)->stqh_last;   \
            STAILQ_INIT(from);                     \
        }                                          \
    } while (0)

/* ---- TAILQ: tqe_prev points to whatever points to the element ---- */

#define TAILQ_HEAD(name, type)  \
    struct name {               \
        struct type *tqh_first; \
        struct type **tqh_last; \
    }
#define TAILQ_HEAD_INITIALIZER(head) \
    {                                \
        NULL, &(head).tqh_first      \
    }
#define TAILQ_ENTRY(type)       \
    struct {                    \
        struct type *tqe_next;  \
        struct type **tqe_prev; \
    }
#define TAILQ_FIRST(head)         ((head)->tqh_first)
#define TAILQ_NEXT(element, link) ((element)->link.tqe_next)
/* The two links of an element are laid out as a head. So whatever points to an element, the links of the one
 * before it or the head, can be read as a head, whose tqh_last leads to the element before. */
#define TAILQ_BEFORE_LINKS_AT(place, head_name) (*((struct head_name *)(void *)(place))->tqh_last)
#define TAILQ_LAST(head, head_name)             TAILQ_BEFORE_LINKS_AT((head)->tqh_last, head_name)
#define TAILQ_PREV(element, head_name, link)    TAILQ_BEFORE_LINKS_AT((element)->link.tqe_prev, head_name)
#define TAILQ_EMPTY(head)                       (TAILQ_FIRST(head) == NULL)
#define TAILQ_INIT(head)                       \
    do {                                       \
        TAILQ_FIRST(head) = NULL;              \
        (head)->tqh_last = &TAILQ_FIRST(head); \
    } while (0)
#define TAILQ_FOREACH(element, head, link) \
    for ((element) = TAILQ_FIRST(head); (element) != NULL; (element) = TAILQ_NEXT(element, link))
#define TAILQ_INSERT_HEAD(head, element, link)                             \
    do {                                                                   \
        TAILQ_NEXT(element, link) = TAILQ_FIRST(head);                     \
        if (TAILQ_EMPTY(head))                                             \
            (head)->tqh_last = &TAILQ_NEXT(element, link);                 \
        else                                                               \
            TAILQ_FIRST(head)->link.tqe_prev = &TAILQ_NEXT(element, link); \
        TAILQ_FIRST(head) = (element);                                     \
        (element)->link.tqe_prev = &TAILQ_FIRST(head);                     \
    } while (0)
#define TAILQ_INSERT_TAIL(head, element, link)         \
    do {                                               \
        TAILQ_NEXT(element, link) = NULL;              \
        (element)->link.tqe_prev = (head)->tqh_last;   \
        *(head)->tqh_last = (element);                 \
        (head)->tqh_last = &TAILQ_NEXT(element, link); \
    } while (0)
#define TAILQ_INSERT_BEFORE(next, element, link)            \
    do {                                                    \
        (element)->link.tqe_prev = (next)->link.tqe_prev;   \
        TAILQ_NEXT(element, link) = (next);                 \
        *(next)->link.tqe_prev = (element);                 \
        (next)->link.tqe_prev = &TAILQ_NEXT(element, link); \
    } while (0)
#define TAILQ_INSERT_AFTER(head, before, element, link)                            \
    do {                                                                           \
        TAILQ_NEXT(element, link) = TAILQ_NEXT(before, link);                      \
        (element)->link.tqe_prev = &TAILQ_NEXT(before, link);                      \
        if (TAILQ_NEXT(element, link) == NULL)                                     \
            (head)->tqh_last = &TAILQ_NEXT(element, link);                         \
        else                                                                       \
            TAILQ_NEXT(element, link)->link.tqe_prev = &TAILQ_NEXT(element, link); \
        TAILQ_NEXT(before, link) = (element);                                      \
    } while (0)
#define TAILQ_REMOVE(head, element, link)                                        \
    do {                                                                         \
        if (TAILQ_NEXT(element, link) == NULL)                                   \
            (head)->tqh_last = (element)->link.tqe_prev;                         \
        else                                                                     \
            TAILQ_NEXT(element, link)->link.tqe_prev = (element)->link.tqe_prev; \
        *(element)->link.tqe_prev = TAILQ_NEXT(element, link);                   \
    } while (0)
#define TAILQ_CONCAT(to, from, link)                           \
    do {                                                       \
        if (!TAILQ_EMPTY(from)) {                              \
            *(to)->tqh_last = TAILQ_FIRST(from);               \
            TAILQ_FIRST(from)->link.tqe_prev = (to)->tqh_last; \
            (to)->tqh_last = (from)->tqh_last;                 \
            TAILQ_INIT(from);                                  \
        }                                                      \
    } while (0)

#endif
