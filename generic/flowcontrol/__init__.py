"""API priority and fairness (KEP-1040): who may run now, who waits in which queue, who is turned away.

Read in this order: `config` (what the API objects say), `matching` (which FlowSchema a request falls under),
`queueset` (fair queuing within one priority level), `control` (the levels, and seats shared among them),
`consumer` (follows the API objects), `estimation` (how many seats a request takes). The filter that asks is
`generic/filters/priority_and_fairness.py`. Mirrors `apiserver/pkg/util/flowcontrol`.
"""
