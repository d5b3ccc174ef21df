#include "top/view_cluster.h"

#include "top/figure.h"

#include <string.h>

/* Of all causes. A loss is rare, so what is not known yet counts as none. */
static double lost_per_second(const interval *i)
{
    double sum = 0;
    for (size_t w = 0; w < i->now->losses.size; w++) {
        double rate = interval_word_rate(i, &i->before->losses, &i->now->losses.words[w]);
        sum += rate > 0 ? rate : 0;
    }
    return sum;
}

static double lost(const interval *i)
{
    double sum = 0;
    for (size_t w = 0; w < i->now->losses.size; w++)
        sum += i->now->losses.words[w].count;
    return sum;
}

void view_cluster_draw(pen *p)
{
    const interval *i = &p->interval;
    const sample *now = i->now;
    if (now->node_count == 0)
        return;
    double losing = lost_per_second(i);
    double resends = INTERVAL_RATE(i, resends);
    pen_line l = pen_begin_line(p, "cluster");
    pen_add(&l, CANVAS_PLAIN, "%s", now->nodes[0].name);
    if (now->has_engine == 0)
        pen_add(&l, CANVAS_BAD, "the engine is away");
    pen_add(&l, CANVAS_PLAIN, "others %s", figure_count((double)(now->node_count - 1)).text);
    pen_add(&l, CANVAS_PLAIN, "rooms owned %s", figure_count(now->rooms_owned).text);
    pen_add(&l, CANVAS_PLAIN, "elsewhere %s", figure_count(now->bindings_elsewhere).text);
    pen_add(&l, CANVAS_PLAIN, "from there %s", figure_count(now->members_from_elsewhere).text);
    pen_add(&l, pen_bad_if(losing > 0), "lost %s", figure_count(lost(i)).text);
    pen_add(&l, CANVAS_PLAIN, "claims %s/s", figure_rate(INTERVAL_RATE(i, claims)).text);
    pen_add(&l, CANVAS_PLAIN, "resends %s/s", figure_rate(resends).text);
    pen_end_line(&l);
}

static void add_node(pen_line *l, const sample_node *node)
{
    bool is_good = strcmp(node->state, "live") == 0 && strcmp(node->link, "up") == 0;
    const char *what = strcmp(node->state, "live") != 0 ? node->state : node->link;
    pen_add(l, pen_bad_if(!is_good), "%s %s%s%s", node->name, what, node->is_draining ? ", drains" : "",
            node->held_bytes > 0 ? ", waits" : "");
}

void view_cluster_draw_nodes(pen *p)
{
    const sample *now = p->interval.now;
    if (now->node_count < 2)
        return;
    pen_line l = pen_begin_line(p, "nodes");
    l.right -= (int)strlen("  +99");
    for (size_t n = 1; n < now->node_count; n++)
        add_node(&l, &now->nodes[n]);
    pen_add_left_out(&l);
    pen_end_line(&l);
}
