package main

import (
	"context"
	"fmt"
	"math/rand"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	watchtools "k8s.io/client-go/tools/watch"
)

func leaderElection(ctx context.Context, b *Bench) error {
	leads := make(chan string, 10)
	candidate := func(ctx context.Context, name string) {
		lock := &resourcelock.LeaseLock{
			LeaseMeta:  metav1.ObjectMeta{Name: "leader", Namespace: b.Namespace},
			Client:     b.Client.CoordinationV1(),
			LockConfig: resourcelock.ResourceLockConfig{Identity: name},
		}
		leaderelection.RunOrDie(ctx, leaderelection.LeaderElectionConfig{
			Lock: lock, ReleaseOnCancel: true, LeaseDuration: 3 * time.Second, RenewDeadline: 2 * time.Second,
			RetryPeriod: 200 * time.Millisecond,
			Callbacks: leaderelection.LeaderCallbacks{
				OnStartedLeading: func(ctx context.Context) { leads <- name },
				OnStoppedLeading: func() {},
			}})
	}
	first, stopFirst := context.WithCancel(ctx)
	second, stopSecond := context.WithCancel(ctx)
	defer stopFirst()
	defer stopSecond()
	go candidate(first, "first")
	if name := <-leads; name != "first" {
		return fmt.Errorf("%s leads", name)
	}
	go candidate(second, "second")
	stopFirst()
	select {
	case name := <-leads:
		if name != "second" {
			return fmt.Errorf("%s leads", name)
		}
	case <-ctx.Done():
		return fmt.Errorf("nobody took over")
	}
	lease, err := b.Client.CoordinationV1().Leases(b.Namespace).Get(ctx, "leader", metav1.GetOptions{})
	if err != nil || *lease.Spec.HolderIdentity != "second" || *lease.Spec.LeaseTransitions < 1 {
		return fmt.Errorf("lease %+v: %v", lease, err)
	}
	return nil
}

func retryWatcher(ctx context.Context, b *Bench) error {
	client := b.Client.CoreV1().ConfigMaps(b.Namespace)
	list, err := client.List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	watcher, err := watchtools.NewRetryWatcherWithContext(ctx, list.ResourceVersion, &cache.ListWatch{
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			options.LabelSelector = "retry=yes"
			return client.Watch(ctx, options)
		}})
	if err != nil {
		return err
	}
	defer watcher.Stop()
	for i := range 6 {
		name := fmt.Sprintf("retry-%d", i)
		if i == 3 {
			if err := b.Plane.Restart(); err != nil {
				return err
			}
		}
		if _, err := client.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{
			Name: name, Labels: map[string]string{"retry": "yes"}}}, metav1.CreateOptions{}); err != nil {
			return err
		}
		select {
		case event := <-watcher.ResultChan():
			found, ok := event.Object.(*corev1.ConfigMap)
			if !ok || event.Type != watch.Added || found.Name != name {
				return fmt.Errorf("instead of %s: %+v", name, event)
			}
		case <-ctx.Done():
			return fmt.Errorf("%s never came", name)
		}
	}
	return nil
}

func sharedInformers(ctx context.Context, b *Bench) error {
	factory := informers.NewSharedInformerFactory(b.Client, 0)
	maps, pods := factory.Core().V1().ConfigMaps(), factory.Core().V1().Pods()
	maps.Informer()
	pods.Informer()
	factory.StartWithContext(ctx)
	for kind, synced := range factory.WaitForCacheSyncWithContext(ctx).Synced {
		if !synced {
			return fmt.Errorf("%v did not sync", kind)
		}
	}
	var writers sync.WaitGroup
	failed := make(chan error, 4)
	for writer := range 4 {
		writers.Add(1)
		go func() {
			defer writers.Done()
			if err := churn(ctx, b, writer); err != nil {
				failed <- err
			}
		}()
	}
	for range 2 {
		time.Sleep(time.Second)
		if err := b.Plane.Restart(); err != nil {
			return err
		}
	}
	writers.Wait()
	select {
	case err := <-failed:
		return err
	default:
	}
	return until(ctx, "the stores hold what the server does", func() (bool, error) {
		list, err := b.Client.CoreV1().ConfigMaps("").List(ctx, metav1.ListOptions{})
		if err != nil {
			return false, err
		}
		held, err := maps.Lister().List(labels.Everything())
		if err != nil || len(held) != len(list.Items) {
			return false, err
		}
		versions := map[string]string{}
		for _, one := range held {
			versions[one.Namespace+"/"+one.Name] = one.ResourceVersion
		}
		for _, one := range list.Items {
			if versions[one.Namespace+"/"+one.Name] != one.ResourceVersion {
				return false, nil
			}
		}
		return true, nil
	})
}

// churn writes, ignoring that the server is away at times, and checks that what was acknowledged is there.
func churn(ctx context.Context, b *Bench, writer int) error {
	client := b.Client.CoreV1().ConfigMaps(b.Namespace)
	known := map[string]string{}
	for i := range 150 {
		name := fmt.Sprintf("churn-%d-%d", writer, rand.Intn(20))
		value := fmt.Sprint(i)
		made := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}, Data: map[string]string{"v": value}}
		var err error
		if known[name] == "" {
			_, err = client.Create(ctx, made, metav1.CreateOptions{})
		} else if i%5 == 0 {
			if err = client.Delete(ctx, name, metav1.DeleteOptions{}); err == nil {
				delete(known, name)
				continue
			}
		} else {
			_, err = client.Update(ctx, made, metav1.UpdateOptions{})
		}
		if err == nil {
			known[name] = value
			continue
		}
		if apierrors.ReasonForError(err) != metav1.StatusReasonUnknown && !apierrors.IsAlreadyExists(err) && !apierrors.IsNotFound(err) && !apierrors.IsServiceUnavailable(err) {
			return fmt.Errorf("churn: %w", err)
		}
		// It may have been written or not: ask.
		time.Sleep(50 * time.Millisecond)
		if found, err := client.Get(ctx, name, metav1.GetOptions{}); err == nil {
			known[name] = found.Data["v"]
		} else if apierrors.IsNotFound(err) {
			delete(known, name)
		} else {
			delete(known, name)
			_ = retryDelete(ctx, b, name)
		}
	}
	for name, value := range known {
		found, err := client.Get(ctx, name, metav1.GetOptions{})
		if err != nil || found.Data["v"] != value {
			return fmt.Errorf("%s was acknowledged with %s: %v %v", name, value, found.Data, err)
		}
	}
	return nil
}

func retryDelete(ctx context.Context, b *Bench, name string) error {
	return until(ctx, "delete "+name, func() (bool, error) {
		err := b.Client.CoreV1().ConfigMaps(b.Namespace).Delete(ctx, name, metav1.DeleteOptions{})
		return err == nil || apierrors.IsNotFound(err), nil
	})
}
